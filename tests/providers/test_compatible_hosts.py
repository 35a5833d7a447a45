"""OpenAI-compatible hosts: each one's own way of saying it, read as what OpenAI would have said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.dialects.openai_chat import StreamReader, read_error, read_response, write_response
from providers.errors import BadRequest, StatusError
from providers.sse import SseSplitter
from providers.types import ChatChunk, Usage

CALL = {"name": "f", "arguments": '{"a": 1}'}


def stream(*documents: dict[str, Any]) -> bytes:
    text = "".join(f"data: {json.dumps(each)}\n\n" for each in documents)
    return f"{text}data: [DONE]\n\n".encode()


def event(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "a", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def read(body: bytes, at: int) -> list[ChatChunk]:
    """What a reader makes of a body that comes in two pieces."""
    splitter, reader = SseSplitter(), StreamReader()
    events = [*splitter.feed(body[:at]), *splitter.feed(body[at:])]
    return [chunk for each in events for chunk in reader.feed(each)]


def deltas(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    chunks = read(stream(*documents), 0)
    return [choice["delta"] for chunk in chunks for choice in chunk.choices]


def calls(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for delta in deltas(*documents) for call in delta["tool_calls"]]


def answer(finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "a", "choices": [choice]}


def message(**fields: Any) -> dict[str, Any]:
    said: dict[str, Any] = read_response(answer(**fields)).choices[0]["message"]
    return said


@pytest.mark.parametrize(
    ("native", "ours"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("model_length", "length"),
        ("MAX_TOKENS", "length"),
        ("insufficient_system_resource", "length"),
        ("abort", "length"),
        ("tool_use", "tool_calls"),
        ("sensitive", "content_filter"),
        ("function_call", "function_call"),
        ("nobody knows", "stop"),
        ("", None),
        (None, None),
    ],
)
def test_a_reason_is_one_of_openai_s_in_both_kinds_of_answer(
    native: str | None, ours: str | None
) -> None:
    whole = read_response(answer(native, content="x"))
    [chunk, _] = read(stream(event(native, content="x")), 0)

    assert whole.choices[0]["finish_reason"] == ours
    assert chunk.choices[0]["finish_reason"] == ours
    assert whole.native_finish_reasons == [native]


def test_thinking_in_parts_is_reasoning_and_the_rest_is_text() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Let "}, {"text": "me see"}]},
        {"type": "text", "text": "Four"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "."},
    ]

    assert message(content=parts) == {
        "role": "assistant",
        "content": "Four.",
        "reasoning_content": "Let me see",
    }
    assert deltas(
        event(content=[{"type": "thinking", "thinking": "Hm"}]), event(content=["Four"])
    ) == [{"content": None, "reasoning_content": "Hm"}, {"content": "Four"}]


def test_reasoning_has_one_name_whatever_the_host_calls_it() -> None:
    assert message(content="4", reasoning="Hm")["reasoning_content"] == "Hm"
    assert message(content="4", reasoning_content="Hm")["reasoning_content"] == "Hm"
    assert "reasoning" not in message(content="4", reasoning="Hm")
    assert deltas(event(content="", reasoning="H"), event(content="4", reasoning=None)) == [
        {"content": "", "reasoning_content": "H"},
        {"content": "4"},
    ]


def test_a_whole_answer_s_calls_get_ids_types_and_arguments_as_text() -> None:
    said = message(
        content=None,
        tool_calls=[
            {"function": {"name": "f", "arguments": {"city": "Köln"}}},
            {"id": "", "index": 0, "function": {"name": "g", "arguments": None}},
        ],
    )

    first, second = said["tool_calls"]
    assert first["function"] == {"name": "f", "arguments": '{"city":"Köln"}'}
    assert second["function"] == {"name": "g", "arguments": "{}"}
    assert first["type"] == second["type"] == "function"
    assert first["id"].startswith("call_") and len(first["id"]) == 29
    assert first["id"] != second["id"]
    assert "index" not in second


def test_a_made_id_is_the_same_at_every_reading_and_no_other_answer_s() -> None:
    body = answer(content=None, tool_calls=[{"function": CALL}])

    [once], [again], [other] = (
        read_response(each).choices[0]["message"]["tool_calls"]
        for each in (body, body, {**body, "id": "b"})
    )

    assert once["id"] == again["id"] != other["id"]


def test_calls_without_an_answer_id_still_get_different_ids() -> None:
    body = {**answer(content=None, tool_calls=[{"function": CALL}]), "id": None}

    [once], [again] = (read_response(body).choices[0]["message"]["tool_calls"] for _ in range(2))

    assert once["id"] != again["id"]


def test_streamed_calls_without_index_and_id_are_told_apart_by_their_names() -> None:
    first, second = calls(
        event(tool_calls=[{"function": {"name": "f", "arguments": {"a": 1}}}]),
        event(tool_calls=[{"function": {"name": "g", "arguments": "{}"}}]),
    )

    assert (first["index"], first["function"]) == (0, {"name": "f", "arguments": '{"a":1}'})
    assert (second["index"], second["function"]) == (1, {"name": "g", "arguments": "{}"})
    assert first["id"] != second["id"]


def test_streamed_arguments_without_index_continue_the_last_call() -> None:
    first, rest, named = calls(
        event(tool_calls=[{"id": "c0", "function": {"name": "f", "arguments": '{"a"'}}]),
        event(tool_calls=[{"function": {"arguments": ": 1}"}}]),
        event(tool_calls=[{"id": "c0", "function": {"name": "f", "arguments": " "}}]),
    )

    assert first == {
        "id": "c0",
        "index": 0,
        "type": "function",
        "function": {"name": "f", "arguments": '{"a"'},
    }
    assert rest == {"index": 0, "function": {"arguments": ": 1}"}}
    assert named == {"index": 0, "function": {"arguments": " "}}


def test_two_calls_under_one_index_are_two_calls() -> None:
    found = calls(
        event(tool_calls=[{"index": 0, "id": "c0", "function": CALL}]),
        event(tool_calls=[{"index": 0, "id": "c1", "function": CALL}]),
        event(tool_calls=[{"index": 0, "function": {"arguments": " "}}]),
    )

    assert [call["index"] for call in found] == [0, 1, 1]


def test_an_id_and_a_name_that_are_said_again_are_said_once() -> None:
    call = {"index": 0, "id": "0", "type": "function", "function": {"name": "f", "arguments": ""}}

    first, second = calls(event(tool_calls=[call]), event(tool_calls=[call]))

    assert first == call
    assert second == {"index": 0, "function": {"arguments": ""}}


def test_calls_of_openai_come_through_as_they_are() -> None:
    said = [
        {"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": "{}"}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 2, "id": "c2", "type": "custom", "custom": {"name": "sql", "input": ""}},
    ]

    assert calls(*(event(tool_calls=[each]) for each in said)) == said


def test_a_choice_without_index_is_the_one_at_its_place() -> None:
    whole = read_response({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}] * 2})
    [chunk, _] = read(stream({"choices": [{"delta": {"content": "a"}}, {"delta": None}]}), 0)

    assert [choice["index"] for choice in whole.choices] == [0, 1]
    assert [choice["index"] for choice in chunk.choices] == [0, 1]
    assert chunk.choices[1]["delta"] == {}
    assert whole.choices[0]["message"]["role"] == "assistant"


def test_perplexity_s_message_beside_the_delta_does_not_grow_with_every_event() -> None:
    choice = {"index": 0, "delta": {"content": "b"}, "message": {"content": "ab"}}

    [chunk, _] = read(stream({"choices": [choice], "citations": ["https://a.example"]}), 0)

    assert chunk.choices == [{"index": 0, "delta": {"content": "b"}, "finish_reason": None}]
    assert chunk.extra == {"citations": ["https://a.example"]}


def test_perplexity_s_citations_reach_the_caller() -> None:
    body = {**answer(content="x"), "citations": ["https://a.example"], "search_results": []}

    written = write_response(read_response(body))

    assert written["citations"] == ["https://a.example"]
    assert written["search_results"] == []


USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        pytest.param({"choices": [], "usage": USAGE}, Usage(1000, 100), id="in its place"),
        pytest.param(
            {"choices": [{"index": 0, "delta": {}}], "usage": USAGE},
            Usage(1000, 100),
            id="beside a choice",
        ),
        pytest.param(
            {**event("stop"), "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 600}}},
            Usage(1000, 100, 600),
            id="with the reason",
        ),
        pytest.param(
            {**event("stop"), "x_groq": {"id": "r", "usage": {**USAGE, "queue_time": 0.1}}},
            Usage(1000, 100),
            id="in x_groq",
        ),
        pytest.param(
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]},
            Usage(1000, 100),
            id="in a choice",
        ),
        pytest.param(
            {"choices": [], "usage": {**USAGE, "prompt_cache_hit_tokens": 600}},
            Usage(1000, 100, 600),
            id="DeepSeek's cache",
        ),
        pytest.param(
            {"choices": [], "usage": {**USAGE, "cached_tokens": 600}},
            Usage(1000, 100, 600),
            id="Moonshot's cache",
        ),
        pytest.param(
            {"choices": [], "usage": {**USAGE, "is_byok": False, "cost": 0.1}},
            Usage(1000, 100),
            id="a boolean that counts nothing",
        ),
        pytest.param(
            {"choices": [], "usage": {**USAGE, "completion_tokens": True}}, None, id="a boolean"
        ),
        pytest.param({"choices": [], "x_groq": {"id": "r"}}, None, id="x_groq without usage"),
    ],
)
def test_usage_is_found_wherever_a_host_puts_it(
    document: dict[str, Any], usage: Usage | None
) -> None:
    [chunk, _] = read(stream(document), 0)

    assert chunk.usage == usage


def test_reasoning_that_xai_counts_beside_the_completion_is_billed() -> None:
    usage = {
        "prompt_tokens": 32,
        "completion_tokens": 9,
        "total_tokens": 135,
        "completion_tokens_details": {"reasoning_tokens": 94},
    }

    assert read_response({**answer(content="x"), "usage": usage}).usage == Usage(
        32, 103, reasoning_tokens=94
    )


def test_reasoning_that_openai_counts_within_the_completion_is_billed_once() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 510,
        "total_tokens": 520,
        "completion_tokens_details": {"reasoning_tokens": 500},
    }

    assert read_response({**answer(content="x"), "usage": usage}).usage == Usage(
        10, 510, reasoning_tokens=500
    )


MIXED = stream(
    event(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Grüß 🎉"}]}]),
    event(content="Köln"),
    event(tool_calls=[{"function": {"name": "f", "arguments": {"a": "ü"}}}]),
    event(tool_calls=[{"function": {"name": "g", "arguments": "{}"}}]),
    {**event("eos"), "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}},
)


def test_a_stream_cut_at_any_byte_gives_the_same_chunks() -> None:
    whole = read(MIXED, 0)

    assert [read(MIXED, at) for at in range(len(MIXED) + 1)] == [whole] * (len(MIXED) + 1)
    assert whole[-1].is_last


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "No.", "code": "bad"}}, "No.", "bad"),
        ({"error": "No."}, "No.", None),
        (
            {"object": "error", "message": "No.", "type": "BadRequestError"},
            "No.",
            "BadRequestError",
        ),
        ({"message": "No."}, "No.", None),
        ({"detail": "No."}, "No.", None),
        (
            {"object": "error", "message": {"detail": [{"loc": ["body", "x"]}]}},
            '{"detail":[{"loc":["body","x"]}]}',
            None,
        ),
        ({"anything": 7}, "status 422", None),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_an_error_is_told_in_the_host_s_own_words(
    body: dict[str, Any], message: str, code: str | None
) -> None:
    error = read_error(422, {}, json.dumps(body).encode())

    assert isinstance(error, BadRequest)
    assert (error.message, error.code) == (message, code)


def test_an_overloaded_host_may_be_left_for_another() -> None:
    error = read_error(503, {}, b'{"message": "Service unavailable."}')

    assert isinstance(error, StatusError)
    assert error.retryable
