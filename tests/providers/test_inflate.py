"""Compressed answers: plain again however they come, and never a bomb."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import UnusableAnswer
from providers.inflate import PIECE_BYTES, RATIO_FREE_BYTES, Plain, inflater_for

NOISE = random.Random(7).randbytes(300_000)
TEXT = b'{"id": "chatcmpl-1", "choices": []}\n' * 6_000


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}


def fed(inflater: Plain, body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield from inflater.feed(body[start : start + size])
    inflater.close()


@pytest.mark.parametrize("size", [1, 999, 10**6])
@pytest.mark.parametrize("plain", [b"", b"x", TEXT, NOISE], ids=["none", "one", "text", "noise"])
@pytest.mark.parametrize("kind", PACKERS)
def test_what_was_packed_comes_back(kind: str, plain: bytes, size: int) -> None:
    pieces = list(fed(inflater_for(kind.upper()), PACKERS[kind](plain), size))

    assert b"".join(pieces) == plain
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


@pytest.mark.parametrize("size", [1, 2, 10**6])
def test_deflate_without_its_header_is_taken_too(size: int) -> None:
    assert b"".join(fed(inflater_for("deflate"), raw(TEXT), size)) == TEXT


@pytest.mark.parametrize("size", [1, 10**6])
def test_a_gzip_body_may_have_members(size: int) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two")

    assert b"".join(fed(inflater_for("gzip"), body, size)) == b"one two"


@pytest.mark.parametrize("encoding", ["", "identity", " Identity , "])
def test_plain_bytes_are_left_alone(encoding: str) -> None:
    assert list(fed(inflater_for(encoding), b"abcdef", 4)) == [b"abcd", b"ef"]


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate,gzip", "x" * 999])
def test_what_we_cannot_make_plain_is_refused_by_its_name(encoding: str) -> None:
    with pytest.raises(UnusableAnswer, match="which we do not take"):
        inflater_for(encoding)


@pytest.mark.parametrize("size", [1, 100, 10**6])
@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_is_stopped_before_it_has_grown(kind: str, size: int) -> None:
    bomb = PACKERS[kind](bytes(50_000_000))
    given_bytes = 0

    with pytest.raises(UnusableAnswer, match="grows beyond"):
        for piece in fed(inflater_for(kind), bomb, size):
            given_bytes += len(piece)

    assert given_bytes <= max(RATIO_FREE_BYTES, 200 * len(bomb))


def test_an_honest_answer_is_stopped_at_the_byte_bound() -> None:
    with pytest.raises(UnusableAnswer, match="longer than 100000 bytes"):
        list(fed(inflater_for("gzip", 100_000), gzip.compress(NOISE), 10_000))


@pytest.mark.parametrize("kind", PACKERS)
def test_an_answer_that_ends_early_is_told_at_its_end(kind: str) -> None:
    body = PACKERS[kind](TEXT)

    for end in (1, len(body) // 2, len(body) - 1):
        with pytest.raises(UnusableAnswer, match="ended early"):
            list(fed(inflater_for(kind), body[:end], 7))


@pytest.mark.parametrize("kind", ["gzip", "deflate"])
@given(body=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_plain_or_refused(kind: str, body: bytes) -> None:
    inflater = inflater_for(kind)

    try:
        found = b"".join(fed(inflater, body, 3))
    except UnusableAnswer:
        return
    assert len(found) <= 200 * len(body) + RATIO_FREE_BYTES


def test_bytes_behind_the_end_are_refused() -> None:
    with pytest.raises(UnusableAnswer, match="after its end"):
        list(fed(inflater_for("deflate"), zlib.compress(b"x") + b"more", 100))
    with pytest.raises(UnusableAnswer, match="damaged"):
        list(fed(inflater_for("gzip"), gzip.compress(b"x") + b"more", 100))
