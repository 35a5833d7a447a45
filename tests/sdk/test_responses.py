"""OpenAI's Responses API, passed through: whole and streamed, for threads and loops."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import providers
from providers import ResponsesAPIResponse, exceptions
from providers.sdk.responses import AsyncResponsesStream, ResponsesStream
from tests.sdk.conftest import Simulated
from tests.sdk.scripted import Script

MESSAGE = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello"}, {"type": "refusal", "refusal": "no"}],
}
WHOLE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-4o",
    "output": [{"type": "reasoning", "summary": []}, MESSAGE],
    "usage": {
        "input_tokens": 1_000,
        "input_tokens_details": {"cached_tokens": 400},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 1_010,
    },
}
NANOS = 600 * 2_500 + 400 * 1_250 + 10 * 10_000
SSE = {"content_type": "text/event-stream"}


def events(*documents: dict[str, Any]) -> str:
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in documents)


DELTA = {"type": "response.output_text.delta", "delta": "Hello", "sequence_number": 1}
STREAM = events(
    {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1"}},
    DELTA,
    {"type": "response.completed", "sequence_number": 2, "response": WHOLE},
)


def whole(**options: Any) -> ResponsesAPIResponse:
    made = providers.responses("hi", "openai/gpt-4o", **options)
    assert isinstance(made, ResponsesAPIResponse)
    return made


def whole_in_a_loop(**options: Any) -> ResponsesAPIResponse:
    made = asyncio.run(providers.aresponses("hi", "openai/gpt-4o", **options))
    assert isinstance(made, ResponsesAPIResponse)
    return made


def streamed(**options: Any) -> ResponsesAPIResponse:
    stream = providers.responses("hi", "gpt-4o", stream=True, **options)
    assert isinstance(stream, ResponsesStream)
    assert [each.type for each in stream][1] == "response.output_text.delta"
    assert stream.response is not None
    return stream.response


def streamed_in_a_loop(**options: Any) -> ResponsesAPIResponse:
    async def ask() -> ResponsesAPIResponse:
        stream = await providers.aresponses("hi", "gpt-4o", stream=True, **options)
        assert isinstance(stream, AsyncResponsesStream)
        assert [each.type async for each in stream][1] == "response.output_text.delta"
        assert stream.response is not None
        return stream.response

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [whole, whole_in_a_loop])
def test_a_whole_response_comes_as_it_was_written(script: Script, ask: Any) -> None:
    script.say(200, WHOLE)

    made = ask(instructions="Be brief.", max_output_tokens=9)

    assert made.model_dump() == WHOLE
    assert made.output_text == "Hello"
    assert made.cost_nanos == NANOS
    assert script.received[0].path == "/v1/responses"
    assert script.received[0].body == {
        "model": "gpt-4o",
        "input": "hi",
        "instructions": "Be brief.",
        "max_output_tokens": 9,
    }


@pytest.mark.parametrize("ask", [streamed, streamed_in_a_loop])
def test_a_stream_ends_with_the_whole_response(
    script: Script, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[Any] = []
    monkeypatch.setattr(
        providers, "success_callback", [lambda kwargs, *_: costs.append(kwargs["cost_nanos"])]
    )
    script.say(200, STREAM, **SSE)

    made = ask()

    assert made.output_text == "Hello"
    assert (made.cost_nanos, costs) == (NANOS, [NANOS])
    assert script.received[0].body == {"model": "gpt-4o", "input": "hi", "stream": True}


@pytest.mark.parametrize("ask", [streamed, streamed_in_a_loop])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (events(DELTA), exceptions.APIConnectionError),
        (
            events(DELTA, {"type": "error", "code": "server_error", "message": "broken"}),
            exceptions.InternalServerError,
        ),
        ("data: {\n\n", exceptions.APIError),
    ],
    ids=["cut", "error", "garbage"],
)
def test_a_stream_that_breaks_says_so(script: Script, ask: Any, body: str, kind: Any) -> None:
    script.say(200, body, **SSE)

    with pytest.raises(kind):
        ask(num_retries=0)


def test_a_response_without_usage_is_never_free(script: Script) -> None:
    script.say(200, {**WHOLE, "usage": None})

    made = whole()

    assert made._hidden_params["response_cost"] is None
    with pytest.raises(providers.PriceUnknown):
        _ = made.cost_nanos


@pytest.mark.parametrize(
    ("input", "model", "kind"),
    [
        ("", "gpt-4o", exceptions.BadRequestError),
        (7, "gpt-4o", exceptions.BadRequestError),
        ([{"type": "item_reference", "id": "x"}], "anthropic/c", exceptions.BadRequestError),
    ],
)
def test_what_cannot_be_asked_is_refused(input: Any, model: str, kind: Any) -> None:
    with pytest.raises(kind):
        providers.responses(input, model)


@pytest.mark.parametrize("model", ["anthropic/sim-echo", "simulator/sim-echo"])
def test_a_provider_of_chat_answers_by_the_responses_api(model: str) -> None:
    options: dict[str, Any] = {"instructions": "Be brief.", "max_output_tokens": 9}

    made = providers.responses("hi", model, **options)

    assert isinstance(made, ResponsesAPIResponse)
    assert made.status in {"completed", "incomplete"}
    assert made.output_text
    assert made.max_output_tokens == 9
    assert made.usage.output_tokens <= 9
    assert made.id.startswith("resp_")


@pytest.mark.parametrize("model", ["anthropic/sim-echo", "simulator/sim-echo"])
@pytest.mark.parametrize("by_loop", [False, True])
def test_a_stream_of_chat_becomes_a_stream_of_responses(model: str, by_loop: bool) -> None:
    whole = providers.responses("hi", model, max_output_tokens=9)
    assert isinstance(whole, ResponsesAPIResponse)

    async def ask() -> tuple[list[Any], Any]:
        stream = await providers.aresponses("hi", model, stream=True, max_output_tokens=9)
        assert isinstance(stream, AsyncResponsesStream)
        return [event async for event in stream], stream.response

    if by_loop:
        said, response = asyncio.run(ask())
    else:
        stream = providers.responses("hi", model, stream=True, max_output_tokens=9)
        assert isinstance(stream, ResponsesStream)
        said, response = list(stream), stream.response

    assert said[0].type == "response.created"
    assert said[-1].type in {"response.completed", "response.incomplete"}
    assert [event.sequence_number for event in said] == list(range(len(said)))
    deltas = [event.delta for event in said if event.type == "response.output_text.delta"]
    assert "".join(deltas) == response.output_text == whole.output_text
    assert response.usage == whole.usage


def test_what_is_stored_nowhere_is_refused_before_anything_is_sent(simulated: Simulated) -> None:
    calls = len(simulated.calls())

    with pytest.raises(exceptions.BadRequestError):
        providers.responses("hi", "anthropic/sim-echo", previous_response_id="resp_1")

    assert len(simulated.calls()) == calls
