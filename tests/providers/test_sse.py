"""The splitter alone: the same events however they come, and no stream that can grow in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import UnusableAnswer
from providers.sse import EVENT_LINES_MAX, SseEvent, SseSplitter

WORDS = [
    "data: {}", "data:x", "data", "data: ", "data:  two", "event: ping", "event:", "event: a: b",
    ": comment", ":", "id: 7", "retry: 5", "nonsense", " data: no",
    "data: \u2028\u2029\x85 \x0b\x0c",
    "data: Grüße 🎉", "data: data: ", "\x00", "\ufeffdata: late mark", "", "", "",
]  # fmt: skip
lines = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(["\n", "\r\n", "\r"])))
plain_lines = st.lists(st.sampled_from(WORDS)).map(lambda words: [(word, "\n") for word in words])
bodies = st.one_of(lines, plain_lines).map(
    lambda pairs: "".join(word + ending for word, ending in pairs).encode()
)


def expected(body: bytes) -> list[SseEvent]:
    """The standard's rules, word by word, for a whole stream."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    events: list[SseEvent] = []
    name, data = "", list[str]()
    for line in [*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        field, _, value = line.partition(":")
        if not line:
            events += [SseEvent(name, "\n".join(data))] if data else []
            name, data = "", []
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            name = value.removeprefix(" ")
    return events


def fed(body: bytes, cuts: list[int]) -> list[SseEvent]:
    splitter, events, start = SseSplitter(), list[SseEvent](), 0
    for end in [*sorted(cuts), len(body)]:
        events += splitter.feed(body[start:end])
        start = end
    return events + splitter.close()


@given(bodies, st.data())
def test_any_stream_cut_anywhere_gives_the_standards_events(
    body: bytes, choice: st.DataObject
) -> None:
    cuts = choice.draw(st.lists(st.integers(0, len(body)), max_size=8))

    assert fed(body, cuts) == expected(body)
    assert fed(body, list(range(len(body)))) == expected(body)
    assert fed(body, []) == expected(body)


@given(st.binary(max_size=60), st.data())
def test_any_bytes_give_the_same_events_however_they_are_cut(
    body: bytes, choice: st.DataObject
) -> None:
    cuts = choice.draw(st.lists(st.integers(0, len(body)), max_size=5))

    assert fed(body, cuts) == fed(body, [])


@pytest.mark.parametrize("head", [b"", b"event: x\n"], ids=["plain", "named"])
def test_many_whole_events_in_one_piece(head: bytes) -> None:
    body = b"".join(head + b"data: %d\n\n" % number for number in range(100))

    name = "x" if head else ""
    assert SseSplitter().feed(body) == [SseEvent(name, str(number)) for number in range(100)]


def test_an_event_is_given_at_its_blank_line_and_not_later() -> None:
    splitter = SseSplitter()

    assert splitter.feed(b"data: a\r\r") == [SseEvent("", "a")]
    assert splitter.feed(b"\ndata: b\r\n\r") == [SseEvent("", "b")]
    assert splitter.feed(b"\n") == splitter.close() == []


def test_days_of_comments_do_not_fill_an_event() -> None:
    splitter = SseSplitter(event_bytes_max=100)

    for _ in range(1_000):
        assert splitter.feed(b": keep-alive\n") == []
    assert splitter.feed(b"data: x\n\n") == [SseEvent("", "x")]


@pytest.mark.parametrize("piece", [b"data:\n", b"data:\r"])
def test_lines_without_text_are_counted_too(piece: bytes) -> None:
    splitter = SseSplitter()

    with pytest.raises(UnusableAnswer, match="lines"):
        splitter.feed(piece * (EVENT_LINES_MAX + 1))


@pytest.mark.parametrize("size", [1, 7, 1_000, 5_000])
def test_a_long_line_in_small_pieces_is_put_together_once(size: int) -> None:
    text = "x" * 200_000
    body = f"data: {text}\n\n".encode()

    assert fed(body, list(range(0, len(body), size))) == [SseEvent("", text)]


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_one_event_over_the_bound_among_good_ones_is_refused(size: int) -> None:
    body = b"data: x\n\n" * 20 + b"data: " + b"x" * 200 + b"\n\n"
    splitter = SseSplitter(event_bytes_max=100)

    with pytest.raises(UnusableAnswer):
        for start in range(0, len(body), size):
            splitter.feed(body[start : start + size])


def test_good_events_that_together_exceed_the_bound_are_all_given() -> None:
    assert len(SseSplitter(event_bytes_max=100).feed(b"data: x\n\n" * 200)) == 200
