"""Answers that are sent while they are made, in bounded memory and on one thread of their own.

A report reads a database connection that belongs to its thread, so one thread makes all pieces of
one answer, one piece at a time and each only when the one before is taken: a slow reader makes the
report wait, and not the memory grow. Under ASGI the iterator must be an async one, because Django
would collect a plain one as a whole before it sends the first byte.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse

ANSWERS_MAX = 8
SECONDS_MAX = 1_800
Pieces = Generator[bytes, None, None]
_places = threading.BoundedSemaphore(ANSWERS_MAX)


class Busy(Exception):
    """As many reports are being made as may be at once."""

    def __init__(self) -> None:
        super().__init__(f"{ANSWERS_MAX} reports are being made already. Ask again in a minute.")


class TooSlow(Exception):
    """The reader took longer than a view of the database may stay open."""


def answer(
    request: HttpRequest, made: Pieces, content_type: str, name: str
) -> StreamingHttpResponse:
    """The answer, begun: what is wrong with the question is raised here, before any byte.

    Raises Busy.
    """
    pieces = Thread(made) if isinstance(request, ASGIRequest) else Begun(made)
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["content-disposition"] = f'attachment; filename="{name}"'
    response["cache-control"] = "no-store"
    response["x-accel-buffering"] = "no"
    return response


class Begun:
    """What a generator makes, its first piece made already; `close` ends it, read or not."""

    def __init__(self, made: Pieces) -> None:
        self._made = made
        self._first: bytes | None = next(made, b"")

    def __iter__(self) -> Begun:
        return self

    def __next__(self) -> bytes:
        piece, self._first = self._first, None
        return next(self._made) if piece is None else piece

    def close(self) -> None:
        self._made.close()


class Thread:
    """An async iterator over what a generator makes on its own thread; `close` ends both."""

    def __init__(self, made: Pieces) -> None:
        if not _places.acquire(blocking=False):
            raise Busy
        self._made = made
        self._until = time.monotonic() + SECONDS_MAX
        self._is_open = True
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="report")
        try:
            self._first: bytes | None = self._worker.submit(self._next).result()
        except BaseException:
            self.close()
            raise

    def _next(self) -> bytes | None:
        return next(self._made, None)

    def __aiter__(self) -> Thread:
        return self

    async def __anext__(self) -> bytes:
        piece, self._first = self._first, b""
        while piece == b"":  # to some servers an empty piece is the end
            if time.monotonic() > self._until:
                raise TooSlow(f"a report must be read within {SECONDS_MAX} seconds")
            running = asyncio.get_running_loop()
            piece = await running.run_in_executor(self._worker, self._next)
        if piece is None:
            self.close()
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """Also for a reader who left: Django closes every answer."""
        if self._is_open:
            self._is_open = False
            self._worker.submit(self._end)
            self._worker.shutdown(wait=False)

    def _end(self) -> None:
        try:
            self._made.close()
        finally:
            connection.close()
            _places.release()
