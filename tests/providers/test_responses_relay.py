"""A provider that speaks Responses itself: its items and events pass as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.dialects import openai_responses
from providers.dialects.openai_responses import StreamReader
from providers.errors import BadRequest, StreamError, UnusableAnswer
from providers.sse import SseSplitter
from tests.providers.responses import (
    CALL,
    NATIVE,
    NATIVE_STREAM,
    OWN_EVENTS,
    PART,
    THOUGHT,
    USAGE,
    events_of,
    read,
    stream,
    written,
)
from tests.recordings import said_by_chunks


def test_a_responses_providers_answer_loses_nothing_on_the_way() -> None:
    response = openai_responses.read_response(NATIVE)

    document = written(response)

    assert document["output"] == NATIVE["output"]
    assert (document["id"], document["store"]) == ("resp_1", False)
    assert document["service_tier"] == "default"
    assert response.choices[0] == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": PART["text"],
            "tool_calls": [CALL],
            "reasoning_content": "One\n\nTwo",
            "thinking_blocks": [THOUGHT],
        },
        "finish_reason": "tool_calls",
        "logprobs": None,
    }


def test_a_responses_providers_stream_passes_event_by_event() -> None:
    events = events_of(read(stream(*NATIVE_STREAM)))

    assert events[2:-1] == OWN_EVENTS
    assert events[-1]["response"]["output"] == NATIVE["output"]
    assert events[0]["response"]["id"] == events[-1]["response"]["id"] == "resp_1"


def test_a_chat_caller_hears_a_responses_stream_as_a_whole_answer_would_say_it() -> None:
    chunks = read(stream(*NATIVE_STREAM))

    deltas = [choice["delta"] for each in chunks for choice in each.choices]
    assert said_by_chunks(chunks).content == PART["text"]
    assert said_by_chunks(chunks).calls == [("c1", "f", {"a": 1})]
    assert said_by_chunks(chunks).finish == "tool_calls"
    assert said_by_chunks(chunks).usage == replace(USAGE, service_tier="default")
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "One\n\nTwo"
    assert {"thinking_blocks": [THOUGHT]} in deltas


def test_a_stream_cut_at_any_byte_gives_the_same_chunks() -> None:
    body = stream(*NATIVE_STREAM)
    expected = read(body)

    for at in range(len(body) + 1):
        splitter, reader = SseSplitter(), StreamReader()
        events = [*splitter.feed(body[:at]), *splitter.feed(body[at:])]
        assert [each for event in events for each in reader.feed(event)] == expected


def test_what_only_the_end_of_an_item_says_is_said_once() -> None:
    ends = [
        event
        for event in NATIVE_STREAM
        if "delta" not in event["type"] and "text.done" not in event["type"]
    ]

    said = said_by_chunks(read(stream(*ends)))

    assert said == said_by_chunks(read(stream(*NATIVE_STREAM)))


def test_a_stream_without_numbers_and_with_a_done_line_is_read() -> None:
    bare = [{k: v for k, v in e.items() if k != "sequence_number"} for e in NATIVE_STREAM]

    chunks = read(stream(*bare) + b"data: [DONE]\n\n")

    assert said_by_chunks(chunks) == said_by_chunks(read(stream(*NATIVE_STREAM)))
    assert [each.is_last for each in chunks].count(True) == 1


@pytest.mark.parametrize(
    ("event", "message", "code"),
    [
        ({"type": "error", "message": "busy", "code": "server_error"}, "busy", "server_error"),
        ({"type": "error", "error": {"message": "busy", "code": "x"}}, "busy", "x"),
        (
            {"type": "response.failed", "response": {"error": {"message": "busy", "code": "x"}}},
            "busy",
            "x",
        ),
        ({"type": "response.completed"}, "an event of the stream has no response", None),
    ],
    ids=["flat", "nested", "failed", "bare"],
)
def test_an_error_in_a_stream_is_raised_with_its_message(
    event: dict[str, Any], message: str, code: str | None
) -> None:
    with pytest.raises(StreamError) as raised:
        read(stream(event))

    assert (raised.value.message, raised.value.code) == (message, code)


def test_a_failure_that_the_request_caused_is_not_tried_elsewhere() -> None:
    failed = {"status": "failed", "error": {"code": "invalid_prompt", "message": "no"}}

    with pytest.raises(BadRequest):
        openai_responses.read_response(failed)
    with pytest.raises(BadRequest):
        read(stream({"type": "response.failed", "response": failed}))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"output": "x"},
        {"output": [7]},
        {"output": [], "status": "in_progress"},
        {"status": "failed", "error": {"code": "server_error", "message": "x"}},
        {"output": [], "error": {"message": "x"}},
    ],
    ids=str,
)
def test_a_body_that_is_no_answer_is_unusable(body: Any) -> None:
    with pytest.raises(UnusableAnswer):
        openai_responses.read_response(body)


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -1, "output_tokens": 1},
        {"input_tokens": 1.5, "output_tokens": 1},
        {"input_tokens": True, "output_tokens": 1},
        {"input_tokens": 5, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 6}},
        {"input_tokens": None},
        "none",
    ],
    ids=str,
)
def test_usage_that_cannot_be_is_not_believed(usage: Any) -> None:
    assert openai_responses.read_response({**NATIVE, "usage": usage}).usage is None


def test_the_service_tier_of_an_answer_is_what_it_is_charged_by() -> None:
    usage = openai_responses.read_response({**NATIVE, "service_tier": "priority"}).usage

    assert usage is not None
    assert usage.service_tier == "priority"
