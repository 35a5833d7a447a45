"""Tokens, prices and abilities: what is known of a model without asking a provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import providers
from providers import PriceUnknown, exceptions
from providers.sdk import prices
from tests.sdk.scripted import Script, error

HELLO = [{"role": "user", "content": "Hello, world"}]


@pytest.fixture(autouse=True)
def nothing_registered() -> Iterator[None]:
    yield
    prices.registered.clear()


def test_tokens_are_counted_and_come_back_as_the_same_text() -> None:
    ids = providers.encode(model="gpt-4o", text="Grüße <|endoftext|> 🎉")

    assert providers.decode(model="gpt-4o", tokens=ids) == "Grüße <|endoftext|> 🎉"
    assert providers.token_counter("gpt-4o", text="Hello, world") == 3
    assert providers.token_counter(model="gpt-4o", text=["Hello", ", world"]) == 3
    assert providers.token_counter(model="gpt-4o", messages=HELLO) == 3 + 1 + 3 + 3
    with pytest.raises(exceptions.BadRequestError):
        providers.token_counter("gpt-4o")


def test_a_cost_is_exact_and_its_float_is_made_last() -> None:
    answer = {
        "model": "gpt-4o",
        "usage": {
            "prompt_tokens": 1_000,
            "completion_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 400},
        },
    }

    assert providers.cost(answer) == 600 * 2_500 + 400 * 1_250 + 10 * 10_000
    assert providers.completion_cost(answer) == 0.0021
    assert providers.cost_per_token("gpt-4o", 1_000, 10) == (0.0025, 0.0001)
    assert providers.cost_per_token("gpt-4o", 1_000, 10, cache_read_input_tokens=400) == (
        0.002,
        0.0001,
    )
    assert providers.cost(model="gpt-4o", prompt="Hello, world", completion="Hello") == (
        3 * 2_500 + 10_000
    )


def test_rates_may_be_given() -> None:
    rates = {"input_cost_per_token": 1e-06, "output_cost_per_token": 0.1}
    answer = {"model": "x", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}

    assert providers.completion_cost(answer, custom_cost_per_token=rates) == 0.100003


@pytest.mark.parametrize(
    "ask",
    [
        lambda: providers.completion_cost(model="gpt-unheard-of", prompt="x", completion="y"),
        lambda: providers.cost_per_token("gpt-unheard-of", 1, 1),
        lambda: providers.cost({"model": "gpt-4o"}),
        lambda: providers.get_model_info("gpt-unheard-of"),
        lambda: providers.get_max_tokens("gpt-unheard-of"),
    ],
    ids=["completion_cost", "cost_per_token", "no usage", "get_model_info", "get_max_tokens"],
)
def test_what_has_no_price_raises(ask: Any) -> None:
    with pytest.raises(PriceUnknown):
        ask()


def test_a_registered_model_has_a_price_and_abilities() -> None:
    told = {
        "litellm_provider": "openai",
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 4e-06,
        "max_tokens": 8_192,
        "supports_vision": True,
    }

    providers.register_model({"my-model": told})

    assert providers.cost_per_token("openai/my-model", 1_000, 1_000) == (0.002, 0.004)
    assert providers.get_max_tokens("my-model") == 8_192
    assert providers.supports_vision("my-model") is True
    assert providers.supports_function_calling("my-model") is False
    assert providers.model_cost["my-model"]["output_cost_per_token"] == 4e-06
    assert "openai/my-model" in providers.model_list


@pytest.mark.parametrize(
    "given", ["https://prices.example", {"my-model": {"input_cost_per_token": "dear"}}], ids=str
)
def test_what_cannot_be_registered_is_refused(given: Any) -> None:
    with pytest.raises(exceptions.BadRequestError):
        providers.register_model(given)


def test_a_model_is_described() -> None:
    info = providers.get_model_info("gpt-4o")

    assert (info["litellm_provider"], info["mode"], info["key"]) == ("openai", "chat", "gpt-4o")
    assert (info["input_cost_per_token"], info["output_cost_per_token"]) == (2.5e-06, 1e-05)
    assert info["max_input_tokens"] == providers.get_max_tokens("gpt-4o") == 128_000
    assert info["supports_vision"] is True
    assert providers.model_cost["openai/gpt-4o"]["input_cost_per_token"] == 2.5e-06
    assert len(providers.model_cost) == len(providers.model_list) > 1_000
    assert providers.get_llm_provider("claude-sonnet-4-5")[:2] == ("claude-sonnet-4-5", "anthropic")
    with pytest.raises(KeyError):
        _ = providers.model_cost["gpt-unheard-of"]


def test_what_a_provider_has_words_for_is_asked_of_its_dialect() -> None:
    openai = providers.get_supported_openai_params("gpt-4o")
    anthropic = providers.get_supported_openai_params("sim-echo", "anthropic")

    assert {"seed", "logit_bias", "n", "tools", "max_tokens"} <= set(openai)
    assert {"tools", "temperature", "stop", "parallel_tool_calls"} <= set(anthropic)
    assert {"seed", "logit_bias", "n"} & set(anthropic) == set()


@pytest.mark.parametrize(
    ("model", "able", "unable"),
    [
        ("gpt-4o", ["function_calling", "vision", "response_schema"], ["reasoning"]),
        ("gpt-3.5-turbo", ["function_calling"], ["vision", "response_schema"]),
        ("o1-mini", ["reasoning"], ["function_calling", "system_messages"]),
        ("gpt-5-mini", ["reasoning", "vision", "tool_choice"], ["audio_input"]),
        ("claude-sonnet-4-5", ["reasoning", "pdf_input", "prompt_caching"], ["audio_input"]),
        ("claude-2.1", ["system_messages"], ["function_calling"]),
        ("nobody/knows", [], ["function_calling", "vision"]),
    ],
)
def test_what_a_model_can_do(model: str, able: list[str], unable: list[str]) -> None:
    asked = {name: getattr(providers, f"supports_{name}")(model) for name in [*able, *unable]}

    assert asked == {**dict.fromkeys(able, True), **dict.fromkeys(unable, False)}


def vectors(**usage: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, -1.0]}]
    return {"object": "list", "data": data, "model": "text-embedding-3-small", **usage}


@pytest.mark.parametrize("is_counted", [False, True])
def test_texts_become_vectors_and_are_charged(script: Script, is_counted: bool) -> None:
    script.say(200, vectors(**({} if is_counted else {"usage": {"prompt_tokens": 3}})))

    made = providers.embedding("text-embedding-3-small", ["Hello, world"], dimensions=2)

    assert made["data"][0]["embedding"] == made.data[0].embedding == [0.25, -1.0]
    assert made.usage.prompt_tokens == 3
    assert (made.cost_nanos, made._hidden_params["usage_is_counted"]) == (60, is_counted)
    assert script.received[0].path == "/v1/embeddings"
    assert script.received[0].body == {
        "model": "text-embedding-3-small",
        "input": "Hello, world",
        "dimensions": 2,
    }


async def test_vectors_from_a_loop_fail_by_name(script: Script) -> None:
    script.say(401, error("no"))

    with pytest.raises(exceptions.AuthenticationError):
        await providers.aembedding("text-embedding-3-small", "x")
    with pytest.raises(exceptions.BadRequestError):
        await providers.aembedding("text-embedding-3-small", [])
    with pytest.raises(exceptions.UnsupportedParamsError):
        await providers.aembedding("anthropic/claude", "x")
