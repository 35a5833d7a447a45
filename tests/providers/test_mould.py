"""Events that are taken for alike mean what a reading of each of them says they mean."""

from __future__ import annotations

import itertools
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import client
from providers.dialects.mould import PROBE, Mould
from providers.dialects.openai_chat import StreamReader, write_chunk
from providers.errors import ProviderError
from providers.sse import SseSplitter
from tests.providers import readers

ENVELOPE = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def event(content: str, write: Any = orjson.dumps, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "logprobs": None, "finish_reason": None}
    document = write({**ENVELOPE, "choices": [choice], **more})
    return b"data: " + (document if isinstance(document, bytes) else document.encode()) + b"\n\n"


class Careful(readers.Careful, StreamReader):
    pass


class Counting(readers.Counting, StreamReader):
    pass


Seen = list[tuple[Any, ...]]


def read(reader: StreamReader, pieces: list[bytes]) -> tuple[Seen, str]:
    """What a caller sees of each chunk, with and without usage, and the error that ended it."""
    splitter, seen = SseSplitter(), Seen()
    for piece in pieces:
        chunks, error = client.read_data(reader, splitter, piece)
        for chunk in chunks:
            written = [write_chunk(chunk, include_usage=each) for each in (False, True)]
            plain = [each and orjson.loads(each) for each in written]
            seen.append((chunk.choices, chunk.usage, chunk.model, chunk.is_last, *plain))
        if error is not None:
            return seen, type(error).__name__
    return seen, ""


def texts(seen: Seen) -> list[str]:
    return [each[0][0]["delta"]["content"] for each in seen]


def test_a_stream_of_plain_words_is_read_once_and_recognised_from_then_on() -> None:
    reader = Counting()
    seen, _ = read(reader, [event(str(number)) for number in range(10)])
    assert texts(seen) == [str(number) for number in range(10)]
    assert reader.alike_count == 8, "the first sets the rest, the second the mould"


@pytest.mark.parametrize("write", [orjson.dumps, json.dumps], ids=["tight", "spaced"])
@pytest.mark.parametrize("more", [{}, {"usage": None}], ids=["bare", "usage"])
@pytest.mark.parametrize("has_padding", [False, True])
def test_hosts_write_in_several_ways(write: Any, more: Any, has_padding: bool) -> None:
    def said(number: int) -> bytes:
        padding = {"obfuscation": "aB3"[: number % 4]} if has_padding else {}
        return event(f"word {number}", write, **more, **padding)

    reader, pieces = Counting(), [said(number) for number in range(10)]
    seen, _ = read(reader, pieces)
    assert (seen, "") == read(Careful(), pieces)
    if write is orjson.dumps or not (more or has_padding):  # OpenAI alone says more, and tightly
        assert reader.alike_count == 8


def test_a_burst_is_recognised_event_by_event() -> None:
    reader = Counting()
    seen, _ = read(reader, [b"".join(event(word) for word in "abcdef") + b"data: [DONE]\n\n"])
    assert texts(seen[:-1]) == list("abcdef")
    assert seen[-1][3] is True
    assert reader.alike_count == 4


@pytest.mark.parametrize(
    "content",
    ['"', "\\", "\n", '","role":"x', "\u2028", "\x7f", "", "snow \u2603", "\U0001f600"],
)
def test_a_text_that_json_escapes_or_may_hide_something_is_right_all_the_same(content: str) -> None:
    pieces = [event(word) for word in ("a", "b", content, "c")]
    assert texts(read(StreamReader(), pieces)[0]) == ["a", "b", content, "c"]


def test_what_is_no_json_is_an_error_and_no_text() -> None:
    good, bad = event("X"), event("X").replace(b"X", b"\x01")
    assert read(StreamReader(), [good, good, good, bad])[1] == "StreamError"
    cut = event("X").replace(b'X"', b"")
    assert read(StreamReader(), [good, good, good, cut])[1] == "StreamError"


def test_bytes_that_are_no_text_are_read_as_ever() -> None:
    pieces = [event("a"), event("b"), event("X").replace(b"X", b"\xff")]
    assert read(StreamReader(), pieces) == read(Careful(), pieces)


def test_the_text_is_not_looked_for_in_another_field() -> None:
    def said(real: str, decoy: str) -> bytes:
        return event("Z", decoy={"content": decoy}).replace(b'"Z"', real.encode())

    pieces = [said('"\\u0058"', "X"), said('"\\u0058"', "X"), said('"\\u0058"', "Y")]
    seen, _ = read(StreamReader(), pieces)
    assert texts(seen) == ["X", "X", "X"]


def test_an_event_after_the_end_is_ignored() -> None:
    pieces = [event("a"), event("b"), b"data: [DONE]\n\n", event("c")]
    seen, _ = read(StreamReader(), pieces)
    assert [each[3] for each in seen] == [False, False, True]


def test_before_and_after_may_not_overlap() -> None:
    mould = Mould(b'data: {"content":"', b'"', is_padded=False)
    assert mould.text_in(b'data: {"content":""}\n\n') == ""
    assert mould.text_in(b'data: {"content":"}\n\n') is None


CONTENTS = st.one_of(
    st.text(max_size=6), st.sampled_from([PROBE, '","x":"', '"usage":null', "\\", "}"])
)
RAW = st.one_of(
    CONTENTS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=4)
)
MORE = st.sampled_from(
    [{}, {"usage": None}, {"obfuscation": "xY"}, {"obfuscation": ""}, {"obfuscation": 'a"b'}]
)
ENDS = st.sampled_from([b"\n\n", b"\n\n", b"\n\n", b"\r\n\r\n", b"\n"])


@given(
    contents=st.lists(st.tuples(CONTENTS, RAW | st.none(), ENDS, MORE | st.none()), max_size=8),
    more=MORE,
    write=st.sampled_from([orjson.dumps, json.dumps]),
    cuts=st.lists(st.integers(0, 2_000), max_size=6),
)
def test_whatever_comes_in_whatever_pieces_is_read_alike(
    contents: list[tuple[str, bytes | None, bytes, dict[str, Any] | None]],
    more: dict[str, Any],
    write: Any,
    cuts: list[int],
) -> None:
    """Raw bytes in place of a text, other fields, other line ends, cut anywhere."""
    data = event("a", write, **more) + event("b", write, **more)
    for content, raw, end, other in contents:
        said = event(content if raw is None else "Q", write, **(more if other is None else other))
        data += (said if raw is None else said.replace(b"Q", raw)).removesuffix(b"\n\n") + end
    bounds = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(bounds) if a < b]

    assert read(StreamReader(), pieces) == read(Careful(), pieces)


@pytest.mark.parametrize("content", ["\n", '"', ""])
def test_a_text_in_between_that_json_escapes_costs_no_more_than_itself(content: str) -> None:
    reader = Counting()
    pieces = [event(content if number % 3 == 2 else "a") for number in range(60)]
    read(reader, pieces)
    assert reader.alike_count == (58 if not content else 38)


def test_errors_keep_what_was_said_before_them() -> None:
    fault = b'data: {"error":{"message":"worn out"}}\n\n'
    chunks, error = client.read_data(StreamReader(), SseSplitter(), event("a") + event("b") + fault)
    assert len(chunks) == 2
    assert isinstance(error, ProviderError)
