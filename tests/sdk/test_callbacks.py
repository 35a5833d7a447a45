"""Who is told of a call, what they are told, and that they can never break it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

import providers
from providers import CustomLogger, exceptions
from tests.sdk.asked import EVERY_WAY, HELLO, Ask, whole, whole_in_a_loop
from tests.sdk.test_chat import named

Told = list[tuple[Any, ...]]


class Recorder(CustomLogger):
    """Keeps the name of what was called, and with what."""

    def __init__(self) -> None:
        self.told: Told = []

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        self.told.append(("pre", kwargs, None))

    def log_success_event(self, kwargs: Any, response_obj: Any, start: Any, end: Any) -> None:
        self.told.append(("success", kwargs, response_obj))

    def log_failure_event(self, kwargs: Any, response_obj: Any, start: Any, end: Any) -> None:
        self.told.append(("failure", kwargs, response_obj))

    async def async_log_pre_api_call(self, model: str, messages: Any, kwargs: Any) -> None:
        self.told.append(("pre in a loop", kwargs, None))

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, *at: Any) -> None:
        self.told.append(("success in a loop", kwargs, response_obj))

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, *at: Any) -> None:
        self.told.append(("failure in a loop", kwargs, response_obj))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(providers, "callbacks", [made])
    return made


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_function_is_told_of_a_success_with_its_cost(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: Told = []
    monkeypatch.setattr(providers, "success_callback", [lambda *each: told.append(each)])

    answer = ask("sim-echo", metadata={"team": "a"}, user="u", api_key="sk-secret")

    [(kwargs, response, start, end)] = told
    assert response == answer
    assert start <= end
    assert (kwargs["response_cost"], kwargs["cost_nanos"]) == (4.8e-06, 4_800)
    assert kwargs["litellm_params"]["metadata"] == {"team": "a"}
    assert (kwargs["model"], kwargs["user"], kwargs["messages"]) == ("sim-echo", "u", HELLO)
    assert kwargs["standard_logging_object"]["total_tokens"] == 17
    assert "sk-secret" not in repr(kwargs)


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_function_is_told_of_a_failure(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    told: Told = []
    monkeypatch.setattr(providers, "failure_callback", [lambda *each: told.append(each)])

    with pytest.raises(exceptions.InternalServerError) as caught:
        ask("sim-500", num_retries=0)

    [(kwargs, error, _, _)] = told
    assert kwargs["exception"] is error is caught.value
    assert kwargs["standard_logging_object"]["status"] == "failure"


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_logger_hears_by_its_own_kind_of_method(ask: Ask, recorder: Recorder) -> None:
    ask("sim-echo")
    with pytest.raises(exceptions.OpenAIError):
        ask("sim-500", num_retries=0)

    ending = " in a loop" if "loop" in named(ask) else ""
    events = [each[0].removesuffix(" in a loop") for each in recorder.told]
    assert events == ["pre", "success", "pre", "failure"]
    assert all(each[0].endswith(ending) for each in recorder.told)


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_callback_that_fails_never_fails_the_call(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*told: Any) -> None:
        raise RuntimeError("mine")

    monkeypatch.setattr(providers, "input_callback", [broken])
    monkeypatch.setattr(providers, "success_callback", [broken, "langfuse"])

    with caplog.at_level(logging.WARNING, "providers"):
        answer = ask("sim-echo")

    assert answer.choices[0].message.content == "Grüße aus Köln"
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "WARNING"]


def test_an_async_function_is_awaited_in_a_loop_and_named_without_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    async def track(kwargs: Any, response: Any, start: Any, end: Any) -> None:
        await asyncio.sleep(0)
        told.append(kwargs["call_type"])

    monkeypatch.setattr(providers, "success_callback", [track])
    whole_in_a_loop("sim-echo")
    whole("sim-echo")

    assert told == ["acompletion"]
    assert "track is async" in caplog.text


def test_a_stream_closed_early_is_told_with_what_had_come(recorder: Recorder) -> None:
    with providers.completion("sim-long", HELLO, stream=True, max_tokens=90) as stream:
        next(stream)
        next(stream)

    name, kwargs, response = recorder.told[-1]
    assert name == "success"
    assert kwargs["complete_streaming_response"] is response
    assert response.usage.completion_tokens == 1
