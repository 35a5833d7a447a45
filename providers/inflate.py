"""A compressed answer, although none was asked for, made plain within bounds. Sans-I/O.

    inflater = inflater_for(headers.get("content-encoding", ""))
    async for chunk in chunks:
        for plain in inflater.feed(chunk):
            yield plain
    inflater.close()

It takes gzip and deflate, with or without zlib's header, and at most one of them; anything else is
refused. Output comes in pieces of PIECE_BYTES, so that little memory grows into little memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from .errors import UnusableAnswer

PLAIN_BYTES_MAX = 64 * 1024 * 1024
RATIO_MAX = 200
RATIO_FREE_BYTES = 1024 * 1024
PIECE_BYTES = 64 * 1024
GZIP_BITS, ZLIB_BITS, RAW_BITS = 31, 15, -15
MEMBERS_MAX = 1_000


class Plain(Protocol):
    """What makes an answer's bytes plain."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def close(self) -> None: ...


def inflater_for(content_encoding: str, plain_bytes_max: int = PLAIN_BYTES_MAX) -> Plain:
    """For a Content-Encoding as it came; raises UnusableAnswer for one that we do not take."""
    words = [word for each in content_encoding.lower().split(",") if (word := each.strip())]
    kinds = [word for word in words if word != "identity"]
    if not kinds:
        return Unchanged()
    if len(kinds) == 1 and kinds[0] in {"gzip", "x-gzip", "deflate"}:
        return Inflater(kinds[0] == "deflate", plain_bytes_max)
    raise UnusableAnswer(
        f"the answer is encoded as {content_encoding[:40]!r}, which we do not take"
    )


class Unchanged:
    """Bytes that are plain already."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        if data:
            yield data

    def close(self) -> None:
        return


class Inflater:
    """Feed it compressed bytes as they come; it gives back plain pieces.

    Beyond RATIO_FREE_BYTES the plain bytes may be at most RATIO_MAX times the compressed ones:
    deflate reaches 1,032, real JSON stays below 50. Raises UnusableAnswer for more, for damaged
    bytes, for bytes after the end, and in `close` for an end that never came.
    """

    def __init__(self, is_deflate: bool, plain_bytes_max: int = PLAIN_BYTES_MAX) -> None:
        self._is_deflate = is_deflate
        self._plain_bytes_max = plain_bytes_max
        self._head = b""
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self._taken = 0
        self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Plain pieces, none empty; read them all before the next piece is fed."""
        self._taken += len(data)
        data = self._head + data
        self._head, is_full = b"", False
        while data or is_full:
            if self._stream is None:
                if self._is_deflate and len(data) < 2:
                    self._head = data
                    return
                self._stream = self._open(data)
            piece, data = self._inflate(self._stream, data)
            # A full piece may have left more inside, although all input is taken.
            is_full = self._stream is not None and len(piece) == PIECE_BYTES
            if piece:
                self._given += len(piece)
                self._check()
                yield piece

    def close(self) -> None:
        """Raises UnusableAnswer if the compressed bytes ended early; no bytes at all are fine."""
        if self._stream is not None or self._head:
            raise UnusableAnswer("the compressed answer ended early")

    def _open(self, data: bytes) -> zlib._Decompress:
        """A gzip body may have members, one after the other; deflate is one stream."""
        self._members += 1
        if self._members > (1 if self._is_deflate else MEMBERS_MAX):
            raise UnusableAnswer("the compressed answer goes on after its end")
        if not self._is_deflate:
            return zlib.decompressobj(GZIP_BITS)
        # RFC 9110 8.4.1.2: deflate has zlib's header, but some senders leave it out.
        has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
        return zlib.decompressobj(ZLIB_BITS if has_header else RAW_BITS)

    def _inflate(self, stream: zlib._Decompress, data: bytes) -> tuple[bytes, bytes]:
        """(a plain piece, the compressed bytes that are left)."""
        try:
            piece = stream.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise UnusableAnswer("the compressed answer is damaged") from error
        if stream.eof:
            self._stream = None
            return piece, stream.unused_data
        return piece, stream.unconsumed_tail

    def _check(self) -> None:
        if self._given > self._plain_bytes_max:
            raise UnusableAnswer(f"the answer is longer than {self._plain_bytes_max} bytes")
        if self._given > max(RATIO_FREE_BYTES, RATIO_MAX * self._taken):
            raise UnusableAnswer("the compressed answer grows beyond any real one")
