"""Anthropic's events that are taken for alike mean what a reading of each says they mean."""

from __future__ import annotations

import itertools
import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway_project import sse
from gateway_project.messages import Messages
from providers import client
from providers.dialects.anthropic_messages import StreamReader, StreamWriter
from providers.sse import SseSplitter
from tests.providers import readers

Seen = list[tuple[Any, ...]]
START: dict[str, Any] = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}},
}
LAST: list[dict[str, Any]] = [
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 9},
    },
    {"type": "message_stop"},
]


class Careful(readers.Careful, StreamReader):
    pass


class Counting(readers.Counting, StreamReader):
    pass


def event(document: dict[str, Any], write: Any = orjson.dumps, *, is_named: bool = True) -> bytes:
    said = write(document)
    name = f"event: {document['type']}\n".encode() if is_named else b""
    return name + b"data: " + (said if isinstance(said, bytes) else said.encode()) + b"\n\n"


def word(text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    delta = {"type": "text_delta", "text": text, **more}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def block(index: int = 0) -> dict[str, Any]:
    text = {"type": "text", "text": ""}
    return {"type": "content_block_start", "index": index, "content_block": text}


def read(reader: StreamReader, pieces: list[bytes]) -> tuple[Seen, list[dict[str, Any]], str]:
    """What the chunks say, what a caller of either wire sees, and the error that ended it."""
    door: Any = Messages  # whose constructor is Channels'
    door = door()
    door._writer = StreamWriter()
    splitter, seen, written = SseSplitter(), Seen(), b""
    for piece in pieces:
        chunks, error = client.read_data(reader, splitter, piece)
        for chunk in chunks:
            native = chunk.native and chunk.native.said
            seen.append((chunk.choices, chunk.usage, chunk.id, chunk.is_last, native))
            written += door.write(chunk, None)
        if error is not None:
            return seen, documents(written), type(error).__name__
    return seen, documents(written), ""


def documents(written: bytes) -> list[dict[str, Any]]:
    found = [(each.event, orjson.loads(each.data)) for each in SseSplitter().feed(written)]
    assert all(name == document["type"] for name, document in found)
    return [document for _, document in found]


def test_words_are_read_once_and_recognised_from_then_on() -> None:
    reader = Counting()
    words = [word(str(number)) for number in range(10)]
    pieces = [event(each) for each in (START, block(), *words, *LAST)]

    seen, written, _ = read(reader, pieces)

    assert reader.alike_count == 9, "the first makes the mould"
    assert [each for each in written if each["type"] == "content_block_delta"] == words
    assert seen[-1][1].output_tokens == 9
    assert (seen, written, "") == read(Careful(), pieces)


def test_an_event_goes_on_byte_by_byte() -> None:
    reader, pieces = StreamReader(), [event(each) for each in (START, block(), word("a"))]
    read(reader, pieces)
    [chunk] = client.read_data(reader, SseSplitter(), event(word("b"), json.dumps))[0]
    assert chunk.native is not None
    assert chunk.native.event is None, "it is written with spaces, and the one before was not"
    splitter = SseSplitter()
    splitter.feed(event(word("a")))
    [chunk] = client.read_data(reader, splitter, event(word("b")))[0]
    assert chunk.native is not None
    assert chunk.native.event == event(word("b")) == sse.named(chunk.native.said)


def test_spaces_before_the_last_brace_are_padding() -> None:
    """Anthropic puts another number of them into each event."""
    reader = Counting()
    padded = [
        event(word(str(number))).replace(b"}}\n", b"}" + b" " * (number * 7 % 5) + b"}\n")
        for number in range(10)
    ]
    pieces = [event(START), event(block()), *padded, *[event(each) for each in LAST]]

    assert read(reader, pieces) == read(Careful(), pieces)
    assert reader.alike_count == 9


def test_a_block_after_another_is_a_block_of_its_own() -> None:
    reader = Counting()
    said = [START]
    for index in range(3):
        said += [block(index), *[word(f"{index}.{at}", index) for at in range(4)]]
    pieces = [event(each) for each in said]

    assert read(reader, pieces) == read(Careful(), pieces)
    assert reader.alike_count == 9


TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(['"', "\\", "\n", '"},"x":{"text":"']))
EVENTS = st.one_of(
    TEXTS.map(word),
    TEXTS.map(word),
    st.builds(word, TEXTS, st.integers(0, 1)),
    st.builds(lambda text: word(text, citation=1), TEXTS),
    st.builds(lambda text: {**word(text), "more": 1}, TEXTS),
    st.sampled_from([{"type": "ping"}, block(1), {"type": "content_block_stop", "index": 0}]),
    st.just({"type": "content_block_delta", "index": 0, "delta": {"type": "x", "text": "a"}}),
    st.just({"type": "error", "error": {"type": "overloaded_error", "message": "worn out"}}),
)


RAW = st.binary(max_size=3) | st.none()


@given(
    events=st.lists(
        st.tuples(EVENTS, st.binary(max_size=3) | st.none(), st.booleans(), st.integers(0, 3)),
        max_size=9,
    ),
    write=st.sampled_from([orjson.dumps, json.dumps]),
    cuts=st.lists(st.integers(0, 1_500), max_size=5),
)
def test_whatever_comes_in_whatever_pieces_is_read_alike(
    events: list[tuple[dict[str, Any], bytes | None, bool, int]], write: Any, cuts: list[int]
) -> None:
    data = event(START, write) + event(block(), write) + event(word("a"), write)
    for document, raw, is_named, spaces in events:
        said = event(document if raw is None else word("Q"), write, is_named=is_named)
        said = said.removesuffix(b"}\n\n") + b" " * spaces + b"}\n\n"
        data += said if raw is None else said.replace(b"Q", raw)
    data += b"".join(event(each, write) for each in LAST)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(bounds) if a < b]

    assert read(StreamReader(), pieces) == read(Careful(), pieces)
