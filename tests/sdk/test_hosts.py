"""Every row of the catalogue by the SDK: whose key, which address, which wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import providers
from providers import exceptions
from providers.sdk.addresses import find_target
from tests.sdk.scripted import Script, chat

HELLO = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("environment", "model", "found"),
    [
        (
            {"MISTRAL_API_KEY": "m"},
            "mistral/large",
            ("mistral", "large", "https://api.mistral.ai/v1", "m"),
        ),
        (
            {"AZURE_API_KEY": "a", "AZURE_API_BASE": "https://x.openai.azure.com/"},
            "azure/gpt",
            ("azure", "gpt", "https://x.openai.azure.com/openai/v1", "a"),
        ),
        (
            {"TOGETHERAI_API_KEY": "t"},
            "together_ai/meta/llama",
            ("together", "meta/llama", "https://api.together.xyz/v1", "t"),
        ),
        ({}, "ollama/llama3", ("ollama", "llama3", "http://127.0.0.1:11434/v1", "")),
        (
            {"HOSTED_VLLM_API_BASE": "http://127.0.0.1:9000"},
            "hosted_vllm/q/w",
            ("vllm", "q/w", "http://127.0.0.1:9000/v1", ""),
        ),
    ],
)
def test_a_model_leads_to_its_host_with_its_own_variables(
    environment: dict[str, str], model: str, found: tuple[str, ...], monkeypatch: Any
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    target = find_target(model, None, None, None)

    assert (target.provider.name, target.model, target.base_url, target.api_key) == found
    assert providers.validate_environment(model) == {
        "keys_in_environment": True,
        "missing_keys": [],
    }


def test_a_server_of_ones_own_is_asked_without_a_key(script: Script) -> None:
    script.say(200, chat("hello"))

    made = providers.completion("ollama/llama3", HELLO, api_base=script.url)

    assert made.choices[0].message.content == "hello"
    assert "authorization" not in script.received[0].headers


def test_a_host_that_needs_a_key_says_which_variable_is_missing() -> None:
    with pytest.raises(exceptions.AuthenticationError, match="set GROQ_API_KEY"):
        providers.completion("groq/llama", HELLO)


def test_a_history_with_reasoning_reaches_only_hosts_that_read_it(script: Script) -> None:
    script.say(200, chat())
    thought = {"role": "assistant", "content": "Hm.", "reasoning_content": "I think."}
    history = [*HELLO, thought, *HELLO]
    here: dict[str, Any] = {"api_base": script.url, "api_key": "k"}

    refusing = providers.completion("mistral/m", history, **here)
    providers.completion("deepseek/d", history, **here)

    sent = [received.body["messages"][1] for received in script.received]
    assert sent == [{"role": "assistant", "content": "Hm."}, thought]
    assert refusing._hidden_params["dropped_params"] == ["reasoning_content"]


def embedded(by_loop: bool, *args: Any, **options: Any) -> Any:
    if by_loop:
        return asyncio.run(providers.aembedding(*args, **options))
    return providers.embedding(*args, **options)


@pytest.mark.parametrize("by_loop", [False, True])
def test_cohere_and_gemini_give_vectors_in_openais_shape(script: Script, by_loop: bool) -> None:
    root = script.url.removesuffix("/v1")
    script.say(
        200,
        {
            "id": "e",
            "embeddings": {"float": [[0.5, 1.0]]},
            "meta": {"billed_units": {"input_tokens": 2}},
        },
    )
    script.say(200, {"embeddings": [{"values": [0.25]}]})

    cohere = embedded(by_loop, "cohere/embed-v4.0", "Hi", api_base=root, api_key="k")
    gemini = embedded(by_loop, "gemini/gemini-embedding-001", "Hi", api_base=root, api_key="k")

    assert [cohere.data[0].embedding, gemini.data[0].embedding] == [[0.5, 1.0], [0.25]]
    assert cohere.usage.prompt_tokens == 2
    assert gemini._hidden_params["usage_is_counted"] is True
    assert script.received[0].path == "/v2/embed"


def test_a_wrong_number_of_vectors_is_no_answer(script: Script) -> None:
    script.say(200, {"data": [], "model": "m"})

    with pytest.raises(exceptions.APIResponseValidationError):
        providers.embedding("text-embedding-3-small", "Hi", num_retries=0)
