"""A streamed answer in Anthropic's events, as its own SDK puts them together again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from providers.client import DIALECTS
from providers.dialects.anthropic_messages import StreamWriter
from providers.sse import SseSplitter
from providers.types import ChatChunk, Usage
from tests.providers.test_streams import ANTHROPIC, OPENAI, anthropic_stream

EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
USAGE = Usage(100, 7, 60, 30, 10)


def read(dialect: str, body: bytes) -> list[ChatChunk]:
    splitter, reader = SseSplitter(), DIALECTS[dialect].StreamReader()
    return [chunk for event in splitter.feed(body) for chunk in reader.feed(event)]


def written(chunks: list[ChatChunk]) -> list[dict[str, Any]]:
    writer = StreamWriter()
    events = [event for chunk in chunks for event in writer.feed(chunk)]
    return [*events, *writer.end(USAGE)]


def heard(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What the SDK makes of the events, each of which must be one that it knows."""
    message: Any = None
    buffers: dict[int, bytes] = {}
    for event in orjson.loads(orjson.dumps(events)):
        if event["type"] != "ping":
            known = EVENT.validate_python(event)
            message = accumulate_event(event=known, current_snapshot=message, json_bufs=buffers)
    Message.model_validate(message.to_dict())
    said: dict[str, Any] = message.to_dict()
    return said


def is_well_formed(events: list[dict[str, Any]]) -> bool:
    """Blocks are opened once and in order, said to while open, and closed once."""
    indexes = [e["index"] for e in events if e["type"] == "content_block_start"]
    opened: set[int] = set()
    for event in events:
        if event["type"] == "content_block_start":
            opened.add(event["index"])
        elif event["type"].startswith("content_block"):
            if event["index"] not in opened:
                return False
            if event["type"] == "content_block_stop":
                opened.remove(event["index"])
    counts = Counter(event["type"] for event in events)
    ends = [counts["message_start"], counts["message_delta"], counts["message_stop"]]
    return not opened and indexes == list(range(len(indexes))) and ends == [1, 1, 1]


def chunks(*deltas: dict[str, Any], finish: str = "stop") -> list[ChatChunk]:
    said = [
        ChatChunk("c1", "gpt", 1, [{"index": 0, "delta": delta, "finish_reason": None}])
        for delta in deltas
    ]
    ending = [{"index": 0, "delta": {}, "finish_reason": finish}]
    return [*said, ChatChunk("c1", "gpt", 1, ending), ChatChunk("c1", "gpt", 1, is_last=True)]


def call(index: int, arguments: str, name: str | None = None) -> dict[str, Any]:
    begun = {"id": f"t{index}", "type": "function"} if name else {}
    function = {**({"name": name} if name else {}), "arguments": arguments}
    return {"tool_calls": [{"index": index, **begun, "function": function}]}


@pytest.mark.parametrize(
    ("dialect", "body"), [("openai_chat", OPENAI), ("anthropic_messages", ANTHROPIC)]
)
def test_a_stream_of_either_wire_is_heard_with_its_text_and_calls(
    dialect: str, body: bytes
) -> None:
    events = written(read(dialect, body))

    message = heard(events)
    assert is_well_formed(events)
    assert events[1] == {"type": "ping"}
    text, *called = message["content"]
    assert text["text"] == "Grüße, \u2028Welt 🎉"
    assert [(c["id"], c["name"], c["input"]) for c in called] == [
        ("c0", "f", {"city": "Köln"}),
        ("c1", "g", {}),
    ]
    assert message["stop_reason"] == "tool_use"


def test_usage_comes_at_the_end_by_anthropics_way_of_counting() -> None:
    message = heard(written(chunks({"content": "Hi"})))

    usage = message["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (10, 7)
    assert usage["cache_read_input_tokens"] == 60
    assert usage["cache_creation_input_tokens"] == 30


def test_arguments_that_come_mixed_stay_with_their_calls() -> None:
    said = chunks(
        {"content": "So"},
        call(0, "", "f"),
        call(0, '{"a"'),
        call(1, '{"b": 2}', "g"),
        call(0, ": 1}"),
        {"content": "and"},
        call(2, "", "h"),
        finish="tool_calls",
    )

    events = written(said)

    message = heard(events)
    assert is_well_formed(events)
    assert [b.get("text") or (b["name"], b["input"]) for b in message["content"]] == [
        "So",
        ("f", {"a": 1}),
        ("g", {"b": 2}),
        "and",
        ("h", {}),
    ]


def test_a_call_that_is_whole_is_closed_before_the_next_begins() -> None:
    events = written(chunks(call(0, '{"a": 1}', "f"), call(1, "{}", "g"), finish="tool_calls"))

    kinds = [(e["type"].removeprefix("content_block_"), e["index"]) for e in events if "index" in e]
    assert kinds == [
        ("start", 0),
        ("delta", 0),
        ("stop", 0),
        ("start", 1),
        ("delta", 1),
        ("stop", 1),
    ]


def test_arguments_that_come_before_the_name_wait_for_it() -> None:
    events = written(chunks(call(0, '{"a"'), call(0, ": 1}", "f"), finish="tool_calls"))

    assert heard(events)["content"][0]["input"] == {"a": 1}
    assert is_well_formed(events)


def test_thinking_is_streamed_then_signed() -> None:
    signed = {"type": "thinking", "thinking": "Hmm", "signature": "sig=="}
    hidden = {"type": "redacted_thinking", "data": "x"}
    said = chunks(
        {"reasoning_content": "H"},
        {"reasoning_content": "mm"},
        {"thinking_blocks": [signed]},
        {"thinking_blocks": [hidden]},
        {"content": "So"},
    )

    events = written(said)

    assert is_well_formed(events)
    thought, redacted, text = heard(events)["content"]
    assert (thought["thinking"], thought["signature"]) == ("Hmm", "sig==")
    assert redacted == hidden
    assert text["text"] == "So"


def test_a_whole_block_of_thinking_is_said_at_once() -> None:
    block = {"type": "thinking", "thinking": "Hm", "signature": "sig=="}

    message = heard(written(chunks({"thinking_blocks": [block]}, {"content": "x"})))

    assert message["content"][0] == block


def test_an_answer_that_says_nothing_is_a_message_all_the_same() -> None:
    events = written([])

    assert [event["type"] for event in events] == [
        "message_start",
        "ping",
        "message_delta",
        "message_stop",
    ]
    assert heard(events)["content"] == []


def test_other_answers_than_the_first_are_passed_over() -> None:
    second = ChatChunk("c1", "gpt", 1, [{"index": 1, "delta": {"content": "no"}}])

    message = heard(written([*chunks({"content": "yes"}), second]))

    assert [block["text"] for block in message["content"]] == ["yes"]


def test_a_refusal_that_is_streamed_has_its_own_stop_reason() -> None:
    message = heard(written(chunks({"refusal": "No."})))

    assert (message["stop_reason"], message["content"][0]["text"]) == ("refusal", "No.")


SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
COUNTED = {"web_search_requests": 1, "web_fetch_requests": 0}
CITED = {
    "type": "char_location",
    "cited_text": "x",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
    "file_id": None,
}


def block_events(index: int, block: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": each} for each in deltas),
        {"type": "content_block_stop", "index": index},
    ]


START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1, "service_tier": "standard"},
    },
}
OWN = [
    START,
    {"type": "ping"},
    *block_events(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "signature_delta", "signature": "sig=="},
    ),
    *block_events(1, SEARCH, {"type": "input_json_delta", "partial_json": '{"query": "x"}'}),
    *block_events(2, FOUND),
    *block_events(3, {"type": "text", "text": ""}, {"type": "text_delta", "text": "One"}),
    *block_events(
        4,
        {"type": "text", "text": "", "citations": []},
        {"type": "text_delta", "text": "Two"},
        {"type": "citations_delta", "citation": CITED},
    ),
    {
        "type": "message_delta",
        "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        "usage": {"output_tokens": 5, "server_tool_use": COUNTED},
    },
    {"type": "message_stop"},
]


def test_an_anthropic_stream_comes_back_as_it_was() -> None:
    assert written(read("anthropic_messages", anthropic_stream(*OWN))) == OWN


def test_a_text_that_was_changed_on_the_way_is_said_as_it_was_changed() -> None:
    said = read("anthropic_messages", anthropic_stream(*OWN))
    hidden = [
        replace(chunk, choices=[{**choice, "delta": {"content": "***"}}])
        if choice["delta"].get("content")
        else chunk
        for chunk in said
        for choice in chunk.choices or ({"delta": {}},)
    ]

    message = heard(written(hidden))

    assert [b["text"] for b in message["content"] if b["type"] == "text"] == ["***", "***"]


def test_a_stream_without_usage_gets_ours() -> None:
    bare = {"type": "message_start", "message": {"id": "m", "model": "claude"}}
    ending = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    body = anthropic_stream(bare, ending, {"type": "message_stop"})

    message = heard(written(read("anthropic_messages", body)))

    assert (message["id"], message["usage"]["output_tokens"]) == ("msg_m", 7)


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
INPUTS = st.dictionaries(TEXTS, st.integers(0, 9) | TEXTS, max_size=2)


@st.composite
def mixed_calls(draw: st.DrawFn) -> tuple[list[Any], list[dict[str, Any]]]:
    """(inputs, deltas): arguments of several calls in pieces, mixed, with text among them."""
    inputs = draw(st.lists(INPUTS, min_size=1, max_size=4))
    pieces = [_cut(draw, orjson.dumps(each).decode()) for each in inputs]
    deltas = [call(0, "", "f0")]
    begun = 1
    while any(pieces) or begun < len(inputs):
        choices = [at for at in range(begun) if pieces[at]]
        if begun < len(inputs):
            choices.append(-1)
        at = draw(st.sampled_from(choices))
        if at == -1:
            deltas.append(call(begun, "", f"f{begun}"))
            begun += 1
        else:
            deltas.append(call(at, pieces[at].pop(0)))
        if draw(st.booleans()):
            deltas.append({"content": draw(TEXTS)})
    return inputs, deltas


def _cut(draw: st.DrawFn, text: str) -> list[str]:
    at = draw(st.integers(0, len(text)))
    return [piece for piece in (text[:at], text[at:]) if piece]


@settings(max_examples=300, deadline=None)
@given(mixed_calls())
def test_calls_are_heard_whole_however_they_are_mixed(
    drawn: tuple[list[Any], list[dict[str, Any]]],
) -> None:
    inputs, deltas = drawn

    events = written(chunks(*deltas, finish="tool_calls"))

    message = heard(events)
    assert is_well_formed(events)
    calls = {b["name"]: b["input"] for b in message["content"] if b["type"] == "tool_use"}
    assert calls == {f"f{at}": each for at, each in enumerate(inputs)}
    texts = [delta["content"] for delta in deltas if "content" in delta]
    said = [block["text"] for block in message["content"] if block["type"] == "text"]
    assert "".join(said) == "".join(texts)
