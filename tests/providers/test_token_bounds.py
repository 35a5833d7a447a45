"""Counts that hostile input cannot break, and bounds that no count exceeds."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.errors import BadRequest
from providers.media import Size, file_tokens, image_tokens, size_of
from providers.tokens import bound_messages, count_messages, count_text, size_bytes

MODELS = [
    "gpt-4o",
    "gpt-4",
    "claude-sonnet-4-5",
    "gemini-2.5-flash",
    "mistral-large",
    "o3",
    "gpt-5.4",
]
COOKBOOK = [
    ("system", None, "You are a helpful, pattern-following assistant that translates corporate "
     "jargon into plain English."),
    ("system", "example_user", "New synergies will help drive top-line growth."),
    ("system", "example_assistant", "Things working well together will increase revenue."),
    ("system", "example_user", "Let's circle back when we have more bandwidth to touch base on "
     "opportunities for increased leverage."),
    ("system", "example_assistant", "Let's talk later when we're less busy about how to do "
     "better."),
    ("user", None, "This late pivot means we don't have time to boil the ocean for the client "
     "deliverable."),
]  # fmt: skip
texts = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(), max_size=30),
    st.builds(
        lambda unit, times: unit * times, st.text(min_size=1, max_size=3), st.integers(0, 5_000)
    ),
    st.just("<|endoftext|><|im_start|>"),
    st.just("\ud800\udc00 \udfff"),
)
parts = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(
        lambda url, detail: {"type": "image_url", "image_url": {"url": url, "detail": detail}},
        texts,
        st.sampled_from(["low", "high", "auto", None, 7]),
    ),
    st.builds(lambda data: {"type": "input_audio", "input_audio": {"data": data}}, texts),
    st.sampled_from([{"type": "file", "file": {}}, {"type": "image_url"}, {"type": "x"}, "y", 7]),
)
messages = st.builds(
    lambda role, name, content, calls: {
        "role": role, "name": name, "content": content, "tool_calls": calls
    },
    st.sampled_from(["user", "assistant", "", None]),
    st.one_of(st.none(), texts),
    st.one_of(st.none(), texts, st.lists(parts, max_size=4)),
    st.lists(st.builds(lambda text: {"function": {"arguments": text}}, texts), max_size=2),
)  # fmt: skip
tools = st.lists(st.builds(lambda text: {"type": "function", "x": text}, texts), max_size=3)


def cookbook() -> list[dict[str, Any]]:
    return [
        {"role": role, "content": text} | ({"name": name} if name else {})
        for role, name, text in COOKBOOK
    ]


@pytest.mark.parametrize(
    ("model", "expected"), [("gpt-3.5-turbo", 129), ("gpt-4", 129), ("gpt-4o", 124)]
)
def test_the_cookbooks_conversation_has_the_number_that_the_provider_billed(
    model: str, expected: int
) -> None:
    count = count_messages(cookbook(), [], model)

    assert (count.tokens, count.tokens_max, count.is_exact) == (expected, expected, True)


@settings(max_examples=200, deadline=None)
@given(st.lists(messages, max_size=3), tools, st.sampled_from(MODELS))
def test_the_bound_is_never_below_the_count(
    asked: list[dict[str, Any]], offered: list[dict[str, Any]], model: str
) -> None:
    count = count_messages(asked, offered, model)

    assert count.tokens <= count.tokens_max <= bound_messages(asked, offered, model)


@settings(max_examples=100, deadline=None)
@given(st.lists(messages, max_size=3), st.lists(messages, max_size=3), st.sampled_from(MODELS))
def test_counts_of_messages_add_up(
    first: list[dict[str, Any]], second: list[dict[str, Any]], model: str
) -> None:
    nothing = count_messages([], [], model)
    one, two = count_messages(first, [], model), count_messages(second, [], model)

    both = count_messages([*first, *second], [], model)

    assert both.tokens == one.tokens + two.tokens - nothing.tokens
    assert both.tokens_max == one.tokens_max + two.tokens_max - nothing.tokens_max


@pytest.mark.parametrize("unit", [" ", "a", "\n", "中文", "🎉", "\ud800", "0", "a" * 4_000 + " "])
@pytest.mark.parametrize("size", [9_999, 10_000, 30_000, 1_000_000])
def test_a_hostile_text_is_estimated_and_bounded(unit: str, size: int) -> None:
    text = (unit * size)[:size]
    asked = [{"role": "user", "content": text}]

    count = count_messages(asked, [], "gpt-4o")

    assert 1 <= count_text(text) <= size_bytes(text)
    assert count.tokens <= count.tokens_max <= size_bytes(text) + 10


def test_a_long_document_is_estimated_within_five_per_cent_and_told_apart_from_a_count() -> None:
    sentence = "The quick brown fox jumps over the lazy dog; nobody knows why. "
    asked = [{"role": "user", "content": sentence * 10_000}]

    count = count_messages(asked, [], "gpt-4o")

    true = count_text(sentence * 100) * 100
    assert abs(count.tokens - true) < true / 20
    assert (count.is_exact, count.tokens_max >= len(sentence) * 10_000) == (False, True)


def test_chinese_without_spaces_is_estimated_and_not_taken_for_its_bytes() -> None:
    asked = [{"role": "user", "content": "今天天气很好，我们去公园散步。" * 1_000}]

    count = count_messages(asked, [], "gpt-4o")

    assert count.tokens < 15_000 < count.tokens_max


def test_a_message_nested_too_deeply_is_refused_in_words() -> None:
    part: dict[str, Any] = {}
    for _ in range(2_000):
        part = {"x": part}

    with pytest.raises(BadRequest, match="nested too deeply"):
        count_messages([{"role": "user", "content": [part]}], [], "gpt-4o")


def url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def jpeg(width: int, height: int, before: int = 0) -> bytes:
    extra = b"\xff\xe1" + struct.pack(">H", before + 2) + bytes(before) if before else b""
    return (
        b"\xff\xd8"
        + extra
        + b"\xff\xc0"
        + struct.pack(">HBHHB", 17, 8, height, width, 3)
        + bytes(9)
    )


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + body + bytes(8)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(640, 480), Size(640, 480)),
        (jpeg(640, 480), Size(640, 480)),
        (jpeg(640, 480, before=60_000), Size(640, 480)),
        (b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(9), Size(640, 480)),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 480)), Size(640, 480)),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14)), Size(640, 480)),
        (webp(b"VP8X", bytes(4) + b"\x7f\x02\0" + b"\xdf\x01\0"), Size(640, 480)),
        (png(0, 480), None),
        (jpeg(640, 480)[:10], None),
        (b"\xff\xd8" + b"\xff\xe1\0\0" * 9, None),
        (b"BM" + bytes(40), None),
        (b"", None),
    ],
)
def test_a_size_is_read_from_the_first_bytes(data: bytes, expected: Size | None) -> None:
    assert size_of(url(data)) == expected


@given(st.one_of(st.binary(max_size=200), st.sampled_from([png(9, 9), jpeg(9, 9, 99)])), st.data())
def test_no_bytes_break_the_reading_of_a_size(data: bytes, choice: st.DataObject) -> None:
    cut = data[: choice.draw(st.integers(0, len(data)))]

    assert size_of(url(cut)) in (None, size_of(url(data)), size_of(url(cut)))
    assert size_of("data:image/png;base64," + cut.decode("latin-1")) is None or cut


@pytest.mark.parametrize(
    ("model", "size", "detail", "typical"),
    [
        ("gpt-4o", (1_024, 1_024), "high", 765),
        ("gpt-4o", (2_048, 4_096), "high", 1_105),
        ("gpt-4o", (4_096, 8_192), "low", 85),
        ("gpt-4.1", (1_024, 1_024), "high", 765),
        ("gpt-4o-mini", (1_024, 1_024), "high", 2_833 + 4 * 5_667),
        ("o1", (1_024, 1_024), "high", 75 + 4 * 150),
        ("gpt-5", (1_024, 1_024), "high", 70 + 4 * 140),
        ("gpt-4.1-mini", (1_024, 1_024), "", 1_659),
        ("gpt-4.1-mini", (1_800, 2_400), "", 2_353),
        ("claude-sonnet-4-5", (1_000, 1_000), "", 1_334),
        ("claude-sonnet-4-5", (200, 200), "", 54),
        ("claude-sonnet-4-5", (8_000, 8_000), "", 1_600),
        ("gemini-2.5-flash", (384, 384), "", 258),
        ("gemini-2.5-flash", (1_536, 768), "", 516),
    ],
)
def test_published_examples_of_images(
    model: str, size: tuple[int, int], detail: str, typical: int
) -> None:
    image = {"type": "image_url", "image_url": {"url": url(png(*size)), "detail": detail}}

    found = image_tokens(image, model)

    assert found.typical == typical
    assert found.most >= typical


@given(
    st.sampled_from([*MODELS, "gpt-4o-mini", "gpt-4.1-nano"]),
    st.integers(1, 20_000),
    st.integers(1, 20_000),
)
def test_an_image_of_unknown_size_is_bounded_by_the_most_of_any_size(
    model: str, width: int, height: int
) -> None:
    known = image_tokens({"image_url": url(png(width, height))}, model)
    unknown = image_tokens({"image_url": "https://example.com/a.png"}, model)

    assert 0 < known.typical <= known.most <= unknown.most


def test_anthropics_shape_of_an_image_is_read_too() -> None:
    data = base64.b64encode(png(1_000, 1_000)).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}

    assert image_tokens(image, "claude-opus-4-5").typical == 1_334


def test_a_minute_of_audio_is_bounded_by_the_lowest_rate_there_is() -> None:
    data = "A" * (60 * 48_000 * 4 // 3)

    found = file_tokens({"type": "input_audio", "input_audio": {"data": data, "format": "wav"}})

    assert found == (601, 32 + 60 * 48 * 32)
