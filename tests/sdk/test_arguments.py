"""LiteLLM's arguments: what is sent, what is dropped and told, what is tried next."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import BaseModel

import providers
from providers import exceptions
from tests.sdk.asked import EVERY_WAY, HELLO, Ask, whole
from tests.sdk.conftest import Simulated
from tests.sdk.scripted import Script, chat, error
from tests.sdk.test_chat import named

CLAUDE = "anthropic/sim-echo"
LONG = error("This model's maximum context length is 8 tokens.", "context_length_exceeded")


class City(BaseModel):
    name: str
    population: int = 0


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_an_option_without_words_is_an_error_unless_it_may_be_dropped(ask: Ask) -> None:
    with pytest.raises(exceptions.UnsupportedParamsError, match="logit_bias"):
        ask(CLAUDE, seed=7, logit_bias={"1": 2})

    answer = ask(CLAUDE, seed=7, logit_bias={"1": 2}, drop_params=True)

    assert answer._hidden_params["dropped_params"] == ["logit_bias", "seed"]


def test_an_option_that_a_dialect_refuses_is_dropped_too() -> None:
    with pytest.raises(exceptions.UnsupportedParamsError):
        whole(CLAUDE, n=2)

    assert whole(CLAUDE, n=2, drop_params=True)._hidden_params["dropped_params"] == ["n"]


def test_the_doors_setting_drops_for_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "drop_params", True)

    assert whole(CLAUDE, seed=7)._hidden_params["dropped_params"] == ["seed"]
    with pytest.raises(exceptions.UnsupportedParamsError):
        whole(CLAUDE, seed=7, drop_params=False)


def test_one_named_option_may_be_left_out() -> None:
    answer = whole(CLAUDE, seed=7, additional_drop_params=["seed"])

    assert answer._hidden_params["dropped_params"] == ["seed"]


@pytest.mark.parametrize("name", ["api_version", "caching", "deployment_id", "organization"])
def test_what_nothing_here_answers_to_is_never_passed_over_in_silence(name: str) -> None:
    with pytest.raises(exceptions.UnsupportedParamsError, match=name):
        whole("sim-echo", **{name: "x"})

    answer = whole("sim-echo", **{name: "x"}, drop_params=True)
    assert answer._hidden_params["dropped_params"] == [name]


def test_what_is_sent_is_what_was_said(script: Script) -> None:
    script.say(200, chat())

    whole(
        "gpt-4o",
        max_tokens=9,
        temperature=0.5,
        top_k=3,
        user="u1",
        api_key="sk-mine",
        metadata={"team": "a"},
        extra_headers={"X-Trace": "t1", "User-Agent": "mine"},
        extra_body={"store": False},
        timeout=30,
        num_retries=0,
    )

    [sent] = script.received
    assert sent.path == "/v1/chat/completions"
    assert sent.body == {
        "model": "gpt-4o",
        "messages": HELLO,
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_k": 3,
        "user": "u1",
        "store": False,
    }
    assert sent.headers["authorization"] == "Bearer sk-mine"
    assert (sent.headers["x-trace"], sent.headers["user-agent"]) == ("t1", "mine")


def test_a_pydantic_model_is_a_strict_schema(script: Script) -> None:
    script.say(200, chat('{"name": "Köln"}'))

    whole("gpt-4o", response_format=City)

    wanted = script.received[0].body["response_format"]
    assert wanted["json_schema"]["name"] == "City"
    assert wanted["json_schema"]["schema"]["required"] == ["name", "population"]
    assert wanted["json_schema"]["schema"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": 0}, "timeout"),
        ({"num_retries": -1}, "num_retries"),
        ({"fallbacks": "gpt-4o"}, "fallbacks"),
        ({"fallbacks": [{"api_key": "x"}]}, "fallbacks"),
        ({"extra_headers": {"a": "b\r\nc: d"}}, "extra_headers"),
        ({"metadata": 7}, "metadata"),
        ({"input_cost_per_token": "dear"}, "input_cost_per_token"),
        ({"additional_drop_params": "seed"}, "additional_drop_params"),
        ({"model": "nobody/knows"}, "model"),
        ({"model": "gpt-4o", "custom_llm_provider": "nobody"}, "model"),
        ({"mock_response": 7}, "mock_response"),
    ],
    ids=str,
)
@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_bad_argument_is_named(ask: Ask, options: dict[str, Any], param: str) -> None:
    given = {"model": "sim-echo", "messages": HELLO, **options}

    with pytest.raises(exceptions.BadRequestError) as caught:
        ask(given.pop("model"), given.pop("messages"), **given)

    assert caught.value.param == param


@pytest.mark.parametrize("ask", EVERY_WAY[:2], ids=named)
def test_a_failure_that_may_pass_is_tried_again(ask: Ask, script: Script) -> None:
    script.say(500, error("once"), retry_after_ms="1")
    script.say(429, error("twice"), retry_after_ms="1")
    script.say(200, chat("third time"))

    answer = ask("gpt-4o")

    assert answer.choices[0].message.content == "third time"
    assert answer._hidden_params["attempts"] == 3
    assert len(script.received) == 3


@pytest.mark.parametrize(
    ("status", "code", "headers"),
    [
        (400, None, {}),
        (401, None, {}),
        (404, "model_not_found", {}),
        (429, "insufficient_quota", {}),
        (500, None, {"x_should_retry": "false"}),
    ],
    ids=str,
)
def test_a_failure_that_stays_is_not_tried_again(
    script: Script, status: int, code: str | None, headers: dict[str, str]
) -> None:
    script.say(status, error("no", code), **headers)

    with pytest.raises(exceptions.OpenAIError):
        whole("gpt-4o", num_retries=5)

    assert len(script.received) == 1


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_fallback_answers_where_the_model_cannot(ask: Ask) -> None:
    answer = ask("sim-500", num_retries=0, fallbacks=["sim-refuse", CLAUDE])

    assert answer._hidden_params["custom_llm_provider"] == "anthropic"
    assert answer.choices[0].message.content == "Grüße aus Köln"


def test_a_request_that_is_wrong_is_not_tried_elsewhere(simulated: Simulated) -> None:
    before = len(simulated.calls())

    with pytest.raises(exceptions.BadRequestError):
        whole("sim-400", num_retries=0, fallbacks=[CLAUDE])

    assert [call.model for call in simulated.calls()[before:]] == ["sim-400"]


def test_the_last_failure_is_the_one_that_is_raised() -> None:
    with pytest.raises(exceptions.RateLimitError) as caught:
        whole("sim-500", num_retries=0, fallbacks=[{"model": "sim-429"}])

    assert caught.value.model == "sim-429"


def test_a_fallback_to_another_provider_gets_no_foreign_key(script: Script) -> None:
    script.say(503, error("no"))

    answer = whole(
        "gpt-4o", api_key="sk-of-openai", api_base=script.url, num_retries=0, fallbacks=[CLAUDE]
    )

    assert script.received[0].headers["authorization"] == "Bearer sk-of-openai"
    assert answer._hidden_params["api_base"] != script.url


def test_a_fallback_may_bring_arguments_of_its_own(script: Script) -> None:
    script.say(503, error("no"))
    script.say(200, chat("other"))

    whole(
        "gpt-4o",
        num_retries=0,
        temperature=1,
        fallbacks=[{"model": "gpt-4o-mini", "temperature": 0.1, "api_key": "second"}],
    )

    assert [each.body["model"] for each in script.received] == ["gpt-4o", "gpt-4o-mini"]
    assert script.received[1].body["temperature"] == 0.1
    assert script.received[1].headers["authorization"] == "Bearer second"


def test_a_longer_model_takes_a_prompt_that_is_too_long(script: Script) -> None:
    script.say(400, LONG)
    script.say(200, chat("fits"))

    answer = whole("gpt-4", context_window_fallback_dict={"gpt-4": "gpt-4-32k"})

    assert answer.choices[0].message.content == "fits"
    assert [each.body["model"] for each in script.received] == ["gpt-4", "gpt-4-32k"]


def test_a_ring_of_longer_models_ends(script: Script) -> None:
    script.say(400, LONG)
    ring = {"gpt-4": "gpt-4-32k", "gpt-4-32k": "gpt-4"}

    with pytest.raises(exceptions.ContextWindowExceededError):
        whole("gpt-4", context_window_fallback_dict=ring)

    assert len(script.received) == 2


def test_the_callers_own_rates_are_charged(script: Script) -> None:
    script.say(200, chat())

    answer = whole("my-own-model", input_cost_per_token=2e-06, output_cost_per_token=3.5e-06)

    assert answer.cost_nanos == 1_000 * 2_000 + 100 * 3_500


def test_an_unknown_price_is_none_beside_and_raises_when_asked(script: Script) -> None:
    script.say(200, chat(model="nobody-knows-it"))

    answer = whole("nobody-knows-it")

    assert answer._hidden_params["response_cost"] is None
    with pytest.raises(providers.PriceUnknown):
        _ = answer.cost_nanos
    with pytest.raises(providers.PriceUnknown):
        providers.completion_cost(answer)


def test_the_callers_own_client_is_used() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json=chat("by your client"))

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        made = whole("gpt-4o", client=client, api_base="https://proxy.example/v1/")

    assert made.choices[0].message.content == "by your client"
    assert seen == ["https://proxy.example/v1/chat/completions"]


def test_the_environment_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert providers.validate_environment("gpt-4o") == {
        "keys_in_environment": True,
        "missing_keys": [],
    }
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert providers.validate_environment("claude-sonnet-4-5") == {
        "keys_in_environment": False,
        "missing_keys": ["ANTHROPIC_API_KEY"],
    }
