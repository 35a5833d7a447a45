"""Many deployments behind one name: retries, fallbacks, streams, and what they are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import providers
from providers import ModelResponse, Router, exceptions
from providers.router import ConfigError
from providers.sdk.streams import AsyncStream, SyncStream
from tests.sdk.asked import HELLO
from tests.sdk.conftest import Simulated
from tests.sdk.scripted import Script, chat, error


def entry(name: str, model: str, **params: Any) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": model, **params}}


def whole(router: Router, model: str, **options: Any) -> ModelResponse:
    answer = router.completion(model, HELLO, **options)
    assert isinstance(answer, ModelResponse)
    return answer


def whole_in_a_loop(router: Router, model: str, **options: Any) -> ModelResponse:
    answer = asyncio.run(router.acompletion(model, HELLO, **options))
    assert isinstance(answer, ModelResponse)
    return answer


def streamed(router: Router, model: str, **options: Any) -> ModelResponse:
    stream = router.completion(model, HELLO, stream=True, **options)
    assert isinstance(stream, SyncStream)
    for _ in stream:
        pass
    assert stream.response is not None
    return stream.response


def streamed_in_a_loop(router: Router, model: str, **options: Any) -> ModelResponse:
    async def ask() -> ModelResponse:
        stream = await router.acompletion(model, HELLO, stream=True, **options)
        assert isinstance(stream, AsyncStream)
        async for _ in stream:
            pass
        assert stream.response is not None
        return stream.response

    return asyncio.run(ask())


EVERY_WAY = (whole, whole_in_a_loop, streamed, streamed_in_a_loop)


@pytest.mark.parametrize("ask", EVERY_WAY)
def test_a_deployment_answers_for_its_group(ask: Any) -> None:
    router = Router([entry("house", "simulator/sim-echo")])

    answer = ask(router, "house")

    assert answer.choices[0].message.content == "Grüße aus Köln"
    assert answer._hidden_params["decision"].ending == "answered by house:1"
    assert [each.answers for each in router.vitals()] == [1]
    assert [each.in_flight for each in router.vitals()] == [0]


@pytest.mark.parametrize("ask", EVERY_WAY)
def test_the_other_deployment_answers_where_one_fails(ask: Any) -> None:
    router = Router(
        [
            entry("house", "simulator/sim-500", order=1),
            entry("house", "simulator-anthropic/sim-echo", order=2),
        ]
    )

    answer = ask(router, "house")

    assert answer._hidden_params["custom_llm_provider"] == "simulator-anthropic"


@pytest.mark.parametrize("ask", EVERY_WAY)
def test_a_fallback_group_answers_where_a_group_cannot(ask: Any) -> None:
    router = Router(
        [entry("broken", "sim-refuse"), entry("spare", "sim-echo")],
        fallbacks=[{"broken": ["spare"]}],
        num_retries=0,
    )

    answer = ask(router, "broken")

    assert answer._hidden_params["decision"].ending == "answered by spare:1"
    with pytest.raises(exceptions.APIConnectionError):
        ask(router, "broken", disable_fallbacks=True)


@pytest.mark.parametrize("ask", EVERY_WAY[2:])
def test_a_stream_that_has_begun_never_moves(ask: Any, simulated: Simulated) -> None:
    router = Router(
        [entry("broken", "simulator/sim-cut-2"), entry("spare", "sim-echo")],
        fallbacks=[{"broken": ["spare"]}],
    )
    before = len(simulated.calls())

    with pytest.raises(exceptions.APIConnectionError):
        ask(router, "broken")

    assert [call.model for call in simulated.calls()[before:]] == ["sim-cut-2"]
    assert [each.in_flight for each in router.vitals()] == [0, 0]


def test_a_stream_closed_early_is_given_back() -> None:
    router = Router([entry("house", "simulator/sim-long")])

    with router.completion("house", HELLO, stream=True, max_tokens=90) as stream:
        next(stream)

    assert [each.in_flight for each in router.vitals()] == [0]
    assert [each.failures for each in router.vitals()] == [0]


def test_a_deployment_brings_its_own_arguments(script: Script) -> None:
    script.say(200, chat())
    own = {"api_base": script.url, "api_key": "sk-eu", "temperature": 0.1, "seed": 5}
    router = Router([entry("house", "openai/gpt-4o", input_cost_per_token=1e-06, **own)])

    answer = whole(router, "house", temperature=0.9)

    assert script.received[0].headers["authorization"] == "Bearer sk-eu"
    assert script.received[0].body["temperature"] == 0.9
    assert script.received[0].body["seed"] == 5
    assert answer.cost_nanos == 1_000 * 1_000


def test_a_prompt_that_is_too_long_goes_where_it_fits(script: Script) -> None:
    script.say(400, error("too long", "context_length_exceeded"))
    router = Router(
        [entry("small", "openai/gpt-4"), entry("large", "sim-echo")],
        context_window_fallbacks=[{"small": ["large"]}],
    )

    assert whole(router, "small")._hidden_params["decision"].ending == "answered by large:1"


def test_a_mocked_failure_falls_back_like_a_real_one() -> None:
    router = Router(
        [
            entry("a", "openai/gpt-4o", mock_response="litellm.RateLimitError"),
            entry("b", "openai/gpt-4o", mock_response="the spare one"),
        ],
        fallbacks=[{"a": ["b"]}],
        num_retries=0,
    )

    assert whole(router, "a").choices[0].message.content == "the spare one"


def test_an_unknown_name_is_not_found() -> None:
    router = Router([entry("house", "sim-echo")])

    with pytest.raises(exceptions.NotFoundError):
        router.completion("garden", HELLO)


def test_a_request_that_is_wrong_is_told_as_such() -> None:
    router = Router([entry("house", "sim-echo")])

    with pytest.raises(exceptions.BadRequestError):
        router.completion("house", HELLO, temperature=7)


def test_a_setting_that_is_not_known_is_told_at_once() -> None:
    with pytest.raises(ConfigError, match="redis_host"):
        Router([entry("house", "sim-echo")], redis_host="x")


def test_vectors_go_through_the_router_too(script: Script) -> None:
    script.say(500, error("once"))
    document = {"object": "list", "data": [{"index": 0, "embedding": [0.5]}], "model": "m"}
    script.say(200, {**document, "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    router = Router([entry("vectors", "openai/text-embedding-3-small")], disable_cooldowns=True)

    made = router.embedding("vectors", "hello")
    again = asyncio.run(router.aembedding("vectors", ["hello"]))

    assert made.data[0].embedding == again.data[0].embedding == [0.5]
    assert made.cost_nanos == 60


def test_callbacks_hear_of_every_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(providers, "failure_callback", [lambda *told: heard.append("failed")])
    monkeypatch.setattr(providers, "success_callback", [lambda *told: heard.append("ok")])
    router = Router(
        [entry("house", "sim-500", order=1), entry("house", "sim-echo", order=2)], num_retries=1
    )

    whole(router, "house")

    assert heard == ["failed", "ok"]
