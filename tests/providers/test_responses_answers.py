"""Responses answers: OpenAI's own types accept what we write, and we read it back the same."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import orjson
import pytest

from providers.dialects import anthropic_messages, openai_responses
from providers.dialects.openai_responses import StreamWriter, event_bytes
from providers.sse import SseSplitter
from providers.types import ChatResponse, Usage
from tests.providers.responses import (
    CALL,
    CUSTOM,
    DOCUMENT,
    EVENTS,
    HELLO,
    HI,
    REQUEST,
    TOLD_USAGE,
    answer,
    body_for,
    chunk,
    events_of,
    kinds,
    stream,
    written,
)


def test_a_whole_answer_tells_the_callers_settings_back() -> None:
    assert written(answer({"role": "assistant", "content": "Hello"})) == {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be kind.",
        "max_output_tokens": 99,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "model": "gpt-5",
        "output": [
            {
                "id": "msg_1_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
                ],
            }
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": "low"},
        "safety_identifier": None,
        "service_tier": None,
        "store": False,
        "temperature": 0.5,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": DOCUMENT["tool_choice"],
        "tools": DOCUMENT["tools"],
        "top_logprobs": 0,
        "top_p": None,
        "truncation": "disabled",
        "usage": TOLD_USAGE,
        "user": "ann",
    }


def test_usage_that_was_billed_stands_over_what_the_provider_left_out() -> None:
    response = ChatResponse("c", "m", 7, [{"message": {"content": "x"}}], usage=None)

    document = openai_responses.write_response(
        response, REQUEST, response_id="resp_1", usage=Usage(1, 2)
    )

    assert document["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_an_answer_cut_short_is_incomplete_whole_and_streamed(
    finish: str, status: str, reason: Any
) -> None:
    whole = written(answer({"role": "assistant", "content": "Hel"}, finish))
    last = events_of([chunk(content="Hel"), chunk(finish)])[-1]

    assert (whole["status"], whole["incomplete_details"]) == (status, reason)
    assert last["type"] == f"response.{status}"
    assert (last["response"]["status"], last["response"]["incomplete_details"]) == (status, reason)


ORDER = [
    "created",
    "in_progress",
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "output_item.added",
    "output_item.added",
    "custom_tool_call_input.delta",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
    "custom_tool_call_input.done",
    "output_item.done",
    "completed",
]


def test_a_streams_events_come_in_the_documented_order() -> None:
    events = events_of(
        [
            chunk(role="assistant", content=""),
            chunk(reasoning_content="Hm"),
            chunk(content="Hel"),
            chunk(content="lo"),
            chunk(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "f"}}]),
            chunk(tool_calls=[{"index": 1, **CUSTOM}]),
            chunk(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
            chunk("tool_calls"),
        ]
    )

    assert kinds(events) == ORDER
    last = events[-1]["response"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert last["output"] == done
    assert last["usage"] == TOLD_USAGE
    assert [item["type"] for item in done] == [
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
    ]


def test_a_failed_stream_is_told_in_both_ways_and_keeps_what_was_said() -> None:
    writer = StreamWriter(REQUEST, response_id="resp_1")
    begun = writer.write(chunk(content="Hel"))

    error, failed = writer.fail("The provider broke off.", "upstream_error")

    for event in (error, failed):
        EVENTS.validate_python(event)
    assert error == {
        "type": "error",
        "code": "upstream_error",
        "message": "The provider broke off.",
        "param": None,
        "error": {
            "type": "server_error",
            "code": "upstream_error",
            "message": "The provider broke off.",
            "param": None,
        },
        "sequence_number": len(begun),
    }
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {
        "code": "server_error",
        "message": "The provider broke off.",
    }
    assert failed["response"]["output"][0]["content"][0]["text"] == "Hel"


def client_that_hears(body: bytes) -> openai.OpenAI:
    def respond(request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=body)

    client: Any = httpx.Client(transport=httpx.MockTransport(respond))
    return openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=client)


def test_openais_own_client_puts_a_stream_together() -> None:
    body = stream(
        *events_of(
            [
                chunk(reasoning_content="Hm"),
                chunk(content="Hel"),
                chunk(content="lo"),
                chunk(tool_calls=[{"index": 0, **CALL}]),
                chunk("tool_calls"),
            ]
        )
    )

    with client_that_hears(body).responses.stream(model="gpt-5", input="Hi") as heard:
        final = heard.get_final_response()

    assert final.output_text == "Hello"
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call"]
    assert final.usage is not None
    assert final.usage.total_tokens == 13


def test_openais_own_client_raises_for_a_failed_stream() -> None:
    writer = StreamWriter(REQUEST, response_id="resp_1")
    body = stream(*writer.write(chunk(content="Hel")), *writer.fail("It broke."))
    heard = client_that_hears(body).responses.create(model="gpt-5", input="Hi", stream=True)

    with pytest.raises(openai.APIError, match="It broke"):
        list(heard)


def test_signed_thinking_streams_as_reasoning_that_carries_it() -> None:
    source = anthropic_messages.StreamReader()
    documents: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "model": "claude"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "Hm"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "sig=="},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "redacted_thinking", "data": "xyz"},
        },
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    body = b"".join(b"data: " + orjson.dumps(each) + b"\n\n" for each in documents)
    events = SseSplitter().feed(body)

    last = events_of([each for event in events for each in source.feed(event)])[-1]

    items = last["response"]["output"]
    assert [item["summary"] for item in items] == [[{"type": "summary_text", "text": "Hm"}], []]
    echoed = openai_responses.parse_request({"model": "m", "input": items})
    assert echoed.messages[0]["thinking_blocks"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "xyz"},
    ]


def test_log_probabilities_are_said_in_the_shape_that_responses_requires() -> None:
    content = [{"token": "H", "logprob": -0.5, "bytes": None, "top_logprobs": []}]

    document = written(answer({"role": "assistant", "content": "H"}, logprobs={"content": content}))

    [part] = document["output"][0]["content"]
    assert part["logprobs"] == [{"token": "H", "logprob": -0.5, "bytes": [], "top_logprobs": []}]


def test_an_events_bytes_carry_its_name() -> None:
    event = {"type": "response.created", "sequence_number": 0}

    name, data, *rest = event_bytes(event).split(b"\n")

    assert name == b"event: response.created"
    assert json.loads(data.removeprefix(b"data: ")) == event
    assert rest == [b"", b""]


def test_anthropics_signed_thinking_comes_back_unchanged_through_a_reasoning_item() -> None:
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "sig=="}
    hidden = {"type": "redacted_thinking", "data": "xyz"}
    answer = anthropic_messages.read_response(
        {
            "id": "msg_1",
            "model": "claude",
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 1, "output_tokens": 1},
            "content": [
                thinking,
                hidden,
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
            ],
        }
    )
    request = openai_responses.parse_request(HELLO)
    output = openai_responses.write_response(answer, request, response_id="resp_1")["output"]

    result = {"type": "function_call_output", "call_id": "c1", "output": "one"}
    body = body_for({**HELLO, "input": [HI, *output, result]}, "anthropic")

    assert [item["type"] for item in output] == ["reasoning", "reasoning", "function_call"]
    assert output[0]["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert body["messages"][1]["content"] == [
        thinking,
        hidden,
        {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
    ]
