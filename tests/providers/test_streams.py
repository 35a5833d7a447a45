"""Streams: however the bytes arrive, the same answer, and never one that is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.client import DIALECTS
from providers.errors import StreamError, UnusableAnswer
from providers.sse import SseEvent, SseSplitter
from providers.types import Usage
from tests.recordings import Said, read_stream, said_by_chunks


def openai_stream(*documents: dict[str, Any], end: str = "data: [DONE]\n\n") -> bytes:
    return "".join(f"data: {json.dumps(each)}\n\n" for each in documents).encode() + end.encode()


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return {"id": "c", "model": "m", "created": 1, "choices": [choice]}


def anthropic_stream(*documents: dict[str, Any]) -> bytes:
    return "".join(
        f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in documents
    ).encode()


OPENAI = openai_stream(
    delta(role="assistant", content=""),
    delta(content="Grüße, "),
    delta(content="\u2028Welt 🎉"),
    delta(
        tool_calls=[{"index": 0, "id": "c0", "function": {"name": "f", "arguments": ""}}],
    ),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '{"city": '}}]),
    delta(tool_calls=[{"index": 1, "id": "c1", "function": {"name": "g", "arguments": "{}"}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '"Köln"}'}}]),
    delta("tool_calls"),
    {"id": "c", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
)
SAID = Said(
    "Grüße, \u2028Welt 🎉",
    [("c0", "f", {"city": "Köln"}), ("c1", "g", {})],
    "tool_calls",
    Usage(9, 4),
)
ANTHROPIC = anthropic_stream(
    {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": 9}}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Grüße, \u2028Welt 🎉"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "c0", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"city": "K'},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": 'öln"}'},
    },
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "c1", "name": "g", "input": {}},
    },
    {"type": "content_block_stop", "index": 2},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 4},
    },
    {"type": "message_stop"},
)
STREAMS = {"openai_chat": OPENAI, "anthropic_messages": ANTHROPIC}


@pytest.mark.parametrize("dialect", STREAMS)
def test_a_stream_cut_at_any_byte_says_the_same(dialect: str) -> None:
    body = STREAMS[dialect]
    for at in range(len(body) + 1):
        splitter, reader = SseSplitter(), DIALECTS[dialect].StreamReader()
        events = [*splitter.feed(body[:at]), *splitter.feed(body[at:])]
        assert said_by_chunks([c for event in events for c in reader.feed(event)]) == SAID


@pytest.mark.parametrize("dialect", STREAMS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_every_line_ending_says_the_same(dialect: str, ending: str, size: int) -> None:
    body = STREAMS[dialect].replace(b"\n", ending.encode())

    assert read_stream(dialect, body, size) == SAID


@given(st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=20), max_size=6))
def test_data_lines_come_back_whatever_letters_they_hold(lines: list[str]) -> None:
    texts = [line for line in lines if line.encode("utf-8", "ignore").decode() == line]
    body = "".join(f"data: {text}\n\n" for text in texts).encode()

    assert SseSplitter().feed(body) == [SseEvent("", text) for text in texts]


def test_comments_ids_and_unknown_fields_are_passed_over() -> None:
    body = b": keep-alive\n\nid: 7\nretry: 5\nwhat: ever\ndata: x\n\n"

    assert SseSplitter().feed(body) == [SseEvent("", "x")]


def test_a_byte_order_mark_is_passed_over_once() -> None:
    splitter = SseSplitter()

    assert splitter.feed(b"\xef") + splitter.feed(b"\xbb\xbfdata: x\n\n") == [SseEvent("", "x")]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 90, b"data: x\n" * 20], ids=["line", "event"])
def test_an_event_without_end_is_refused_at_its_bound(piece: bytes) -> None:
    splitter = SseSplitter(event_bytes_max=100)
    with pytest.raises(UnusableAnswer):
        for _ in range(3):
            splitter.feed(piece)


@pytest.mark.parametrize("dialect", STREAMS)
def test_what_follows_the_end_is_not_read(dialect: str) -> None:
    body = STREAMS[dialect] + b'data: {"choices": [{"index": 0, "delta": {"content": "x"}}]}\n\n'

    assert read_stream(dialect, body, 7) == SAID


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_chat", b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'),
        ("openai_chat", b'event: error\ndata: {"message": "overloaded"}\n\n'),
        (
            "anthropic_messages",
            b'data: {"type": "error", "error": {"type": "x", "message": "overloaded"}}\n\n',
        ),
    ],
)
def test_an_error_event_is_raised_with_its_message(dialect: str, body: bytes) -> None:
    with pytest.raises(StreamError, match="overloaded"):
        read_stream(dialect, body, 1)


@pytest.mark.parametrize("dialect", STREAMS)
@pytest.mark.parametrize("data", [b"{", b"7", b"[]", b"null"])
def test_an_event_that_is_no_document_is_raised(dialect: str, data: bytes) -> None:
    with pytest.raises(StreamError):
        read_stream(dialect, b"data: " + data + b"\n\n", 1)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 1.5, "completion_tokens": 1},
        {"prompt_tokens": 10**12, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": 1, "completion_tokens": "many"},
        {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}},
        {"prompt_tokens": None},
        "none",
    ],
    ids=str,
)
def test_usage_that_cannot_be_is_not_believed(usage: Any) -> None:
    body = openai_stream(delta("stop", content="x"), {"choices": [], "usage": usage})

    assert read_stream("openai_chat", body, 100).usage is None


def test_anthropic_usage_is_cumulative_and_includes_the_cache() -> None:
    body = anthropic_stream(
        {
            "type": "message_start",
            "message": {
                "usage": {
                    "input_tokens": 10,
                    "output_tokens": 1,
                    "cache_read_input_tokens": 100,
                    "cache_creation_input_tokens": 20,
                    "cache_creation": {"ephemeral_1h_input_tokens": 5},
                }
            },
        },
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 42, "input_tokens": None},
        },
        {"type": "message_stop"},
    )

    usage = read_stream("anthropic_messages", body, 50).usage

    assert usage == Usage(130, 42, 100, 20, 5)


def test_thinking_comes_back_whole_with_its_signature() -> None:
    body = anthropic_stream(
        {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
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
    )
    splitter, reader = SseSplitter(), DIALECTS["anthropic_messages"].StreamReader()

    deltas = [
        choice["delta"]
        for event in splitter.feed(body)
        for chunk in reader.feed(event)
        for choice in chunk.choices
    ]

    assert {"reasoning_content": "Hm"} in deltas
    block = {"type": "thinking", "thinking": "Hm", "signature": "sig=="}
    assert deltas[-1] == {"thinking_blocks": [block]}
