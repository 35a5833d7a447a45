"""The catalogue: each row leads where its documentation says, by every name that callers know."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from providers.catalog import ALIASES, PROVIDERS, VARIABLES, resolve
from providers.catalog.compatible import COMPATIBLE
from providers.client import DIALECTS, build
from providers.dialects import openai_chat
from providers.price_source import matches, read_prices
from providers.routing import Target, choose
from providers.types import ChatRequest

HELLO = ChatRequest("m", [{"role": "user", "content": "Hi"}], max_tokens=9, stream=True)
ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "cohere": "https://api.cohere.com",
    "mistral": "https://api.mistral.ai/v1",
    "groq": "https://api.groq.com/openai/v1",
    "deepseek": "https://api.deepseek.com",
    "xai": "https://api.x.ai/v1",
    "together": "https://api.together.xyz/v1",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "perplexity": "https://api.perplexity.ai",
    "nvidia": "https://integrate.api.nvidia.com/v1",
    "moonshot": "https://api.moonshot.ai/v1",
    "zai": "https://api.z.ai/api/paas/v4",
    "huggingface": "https://router.huggingface.co/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
NEW_CAP = {"openai", "azure", "groq", "xai", "cerebras"}
KEYLESS = {"ollama", "vllm", "lmstudio", "llamacpp", "openai-compatible"}
WITHOUT_STREAM_OPTIONS = {"mistral", "together", "perplexity"}
HOSTS = sorted(row.name for row in COMPATIBLE)
SIMULATED = {"simulator", "simulator-anthropic", "simulator-refuse"}


@pytest.mark.parametrize(("name", "address"), ADDRESSES.items())
def test_a_provider_is_where_its_documentation_says(name: str, address: str) -> None:
    assert PROVIDERS[name].base_url == address


@pytest.mark.parametrize("name", ["azure", "vllm", "openai-compatible"])
def test_an_address_that_only_its_operator_knows_is_not_guessed(name: str) -> None:
    assert PROVIDERS[name].base_url == ""


def test_every_row_speaks_a_dialect_that_there_is() -> None:
    assert {row.dialect for row in PROVIDERS.values()} <= DIALECTS.keys()


def test_no_two_rows_share_a_name_an_alias_or_a_variable() -> None:
    names = [*PROVIDERS, *(alias for row in PROVIDERS.values() for alias in row.aliases)]
    variables = [
        name
        for row in PROVIDERS.values()
        if row.name != "openai-responses"  # the same account as openai
        for name in (row.key_variable, row.url_variable, *row.other_variables)
    ]

    assert len(set(names)) == len(names)
    assert len(set(variables)) == len(variables)
    assert set(variables) == VARIABLES


@pytest.mark.parametrize(
    ("model", "leads_to"),
    [
        ("groq/llama-3.3-70b-versatile", ("groq", "llama-3.3-70b-versatile")),
        ("groq/openai/gpt-oss-120b", ("groq", "openai/gpt-oss-120b")),
        ("mistral/mistral-large-latest", ("mistral", "mistral-large-latest")),
        ("together_ai/meta-llama/Llama-3", ("together", "meta-llama/Llama-3")),
        ("fireworks_ai/accounts/f/models/x", ("fireworks", "accounts/f/models/x")),
        ("xai/grok-4", ("xai", "grok-4")),
        ("azure/my-deployment", ("azure", "my-deployment")),
        ("cohere_chat/command-a-03-2025", ("cohere", "command-a-03-2025")),
        ("openrouter/cohere/command-r", ("openrouter", "cohere/command-r")),
        ("hosted_vllm/facebook/opt-125m", ("vllm", "facebook/opt-125m")),
        ("ollama_chat/llama3", ("ollama", "llama3")),
        ("nvidia_nim/meta/llama3", ("nvidia", "meta/llama3")),
        ("openai_like/anything", ("openai-compatible", "anything")),
        ("meta-llama/Llama-3", ("openai", "meta-llama/Llama-3")),
        ("groq", ("openai", "groq")),
    ],
)
def test_a_prefix_leads_to_its_row(model: str, leads_to: tuple[str, str]) -> None:
    assert choose(model, None) == leads_to


def test_a_provider_may_be_chosen_by_its_alias() -> None:
    assert choose("llama", "together_ai") == ("together", "llama")
    assert choose("together_ai/llama", "together_ai") == ("together", "llama")
    assert choose("llama", "nobody") == ("nobody", "llama")


def test_what_is_no_provider_resolves_to_none() -> None:
    assert resolve("meta-llama") is None
    assert resolve("") is None
    assert {resolve(alias) for alias in ALIASES} <= PROVIDERS.keys()


@pytest.mark.parametrize("name", ["openai", "anthropic", "cohere", *HOSTS])
def test_the_cap_goes_out_in_the_field_that_the_host_knows(name: str) -> None:
    row = PROVIDERS[name]
    body = json.loads(build(HELLO, Target(row, "m", "http://x", "k")).body)

    caps = {
        field: body[field] for field in ("max_tokens", "max_completion_tokens") if field in body
    }

    assert caps == {"max_completion_tokens" if name in NEW_CAP else "max_tokens": 9}


@pytest.mark.parametrize(
    "name", sorted(row.name for row in PROVIDERS.values() if row.dialect == "openai_chat")
)
def test_usage_of_a_stream_is_asked_for_where_the_host_lets_itself_be_asked(name: str) -> None:
    body = json.loads(build(HELLO, Target(PROVIDERS[name], "m", "http://x", "k")).body)

    wanted = None if name in WITHOUT_STREAM_OPTIONS else {"include_usage": True}
    assert body["stream"] is True
    assert body.get("stream_options") == wanted


def test_a_caller_s_own_stream_options_do_not_reach_a_host_that_refuses_them() -> None:
    asked = openai_chat.parse_request(
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )

    body = json.loads(build(asked, Target(PROVIDERS["mistral"], "m", "http://x", "k")).body)

    assert "stream_options" not in body


def test_a_key_goes_into_the_header_that_the_host_reads() -> None:
    assert PROVIDERS["groq"].headers("k") == {"authorization": "Bearer k"}
    assert PROVIDERS["cohere"].headers("k") == {"authorization": "Bearer k"}
    assert PROVIDERS["azure"].headers("k") == {"api-key": "k"}
    assert PROVIDERS["anthropic"].headers("k") == {"x-api-key": "k"}
    assert PROVIDERS["ollama"].headers("") == {}


def test_servers_of_one_s_own_need_no_key() -> None:
    keyless = {row.name for row in PROVIDERS.values() if not row.needs_key}

    assert keyless == KEYLESS


@pytest.mark.parametrize(
    ("name", "environment", "found"),
    [
        ("groq", {"GROQ_API_KEY": "k"}, ("k", "")),
        ("together", {"TOGETHERAI_API_KEY": "k"}, ("k", "")),
        ("cohere", {"CO_API_KEY": "b", "COHERE_API_KEY": "a"}, ("a", "")),
        ("huggingface", {"HF_TOKEN": "hf"}, ("hf", "")),
        (
            "azure",
            {"AZURE_API_KEY": "k", "AZURE_API_BASE": "https://r.openai.azure.com/"},
            ("k", "https://r.openai.azure.com/openai/v1"),
        ),
        (
            "azure",
            {"AZURE_BASE_URL": "https://proxy.example/eu/v1", "AZURE_API_BASE": "https://other"},
            ("", "https://proxy.example/eu/v1"),
        ),
        ("ollama", {"OLLAMA_API_BASE": "http://box:11434"}, ("", "http://box:11434/v1")),
        ("mistral", {"MISTRAL_BASE_URL": "http://here/"}, ("", "http://here")),
        (
            "openai-compatible",
            {"OPENAI_COMPATIBLE_BASE_URL": "http://here:5000/v1"},
            ("", "http://here:5000/v1"),
        ),
        ("xai", {}, ("", "")),
    ],
)
def test_key_and_address_come_from_the_names_that_users_know(
    name: str, environment: dict[str, str], found: tuple[str, str]
) -> None:
    row = PROVIDERS[name]

    assert (row.key_in(environment), row.url_in(environment)) == found


def test_the_simulator_stands_in_for_no_host_that_it_cannot_speak_for() -> None:
    assert PROVIDERS["openai"].address_at("http://sim") == "http://sim/v1"
    assert PROVIDERS["anthropic"].address_at("http://sim") == "http://sim"
    assert PROVIDERS["cohere"].address_at("http://sim") == ""
    assert PROVIDERS["groq"].address_at("http://sim") == ""


def test_the_list_of_models_is_asked_where_each_host_has_it() -> None:
    assert PROVIDERS["cohere"].models_request("k") == (
        "/v1/models",
        {"authorization": "Bearer k"},
    )
    assert PROVIDERS["azure"].models_request("k") == ("/models", {"api-key": "k"})
    assert PROVIDERS["anthropic"].models_request("k") == (
        "/v1/models",
        {"x-api-key": "k", "anthropic-version": "2023-06-01"},
    )


def test_the_published_list_has_prices_under_our_names() -> None:
    rows = read_prices(date(2026, 11, 1))
    priced = {row.provider for row in rows}

    without = PROVIDERS.keys() - priced - SIMULATED - KEYLESS
    assert without == {"nvidia"}


def test_a_price_at_hugging_face_is_that_of_the_host_that_answers() -> None:
    rows = [row for row in read_prices(date(2026, 11, 1)) if row.provider == "huggingface"]
    [row] = [row for row in rows if row.model == "openai/gpt-oss-120b:groq"]

    assert matches(row.match, "openai/gpt-oss-120b:groq")
    assert not matches(row.match, "openai/gpt-oss-120b:novita")
    assert not matches(row.match, "openai/gpt-oss-120b")


@pytest.mark.parametrize("name", ["openai", "anthropic", "cohere", *HOSTS])
def test_the_page_on_providers_says_what_the_row_says(name: str) -> None:
    row = PROVIDERS[name]
    page = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()
    [line] = [line for line in page.splitlines() if line.startswith(f"| `{name}/`")]

    words = [f"`{alias}/`" for alias in row.aliases]
    words += [f"`{each}`" for each in (row.key_variable, row.url_variable, *row.other_variables)]
    words += [row.base_url or "yours", "| yes |" if row.is_verified else "| no |"]
    assert [word for word in words if word not in line] == []
    assert ("(not needed)" in line) is not row.needs_key
