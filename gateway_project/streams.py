"""Between a task that hears a provider out and a door that may leave at any moment.

The task never stops for a door that has gone: what it puts is thrown away, and it goes on to the
provider's end, within bounds, so that the bill is the provider's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from providers.errors import TimedOut
from providers.types import ChatChunk

from .errors import Unavailable
from .patience import Vigil

Item = TypeVar("Item")

STALL_SECONDS = 30.0


async def until(source: AsyncIterator[Item], seconds: float) -> Item | None:
    """The next item, None at the end; raises TimedOut."""
    try:
        async with asyncio.timeout(seconds):
            return await anext(source, None)
    except TimeoutError as error:
        raise TimedOut(f"nothing came within {seconds:g} s") from error


class Listener(Protocol):
    """Who a stream is given to."""

    async def begin(self, headers: dict[str, str]) -> None:
        """Comes once, before the first chunks."""

    async def take(self, chunks: list[ChatChunk]) -> None:
        """Comes back when there is room for more."""

    def take_now(self, chunk: ChatChunk) -> bool:
        """Takes it, if there is room without waiting for it."""


class Outlet:
    """Where a stream's chunks go, until its listener leaves, fails, or takes nothing for too long.

    What the listener raises is the result of `failed`, and so is that it fell asleep: should it
    wake up, it must not take what it has for the whole answer. The stream itself goes on.
    """

    def __init__(self, listener: Listener) -> None:
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._listener = listener
        self._is_open = True
        self._vigil: Vigil | None = None

    def close(self) -> None:
        """The listener has left, or has it all."""
        self._is_open = False
        if self._vigil is not None:
            self._vigil.stop()

    async def put(self, chunks: list[ChatChunk], headers: dict[str, str] | None = None) -> None:
        """Give the next chunks, and with the first ones the `headers`. Always in the same task."""
        if not self._is_open:
            return
        if self._vigil is None:
            self._vigil = Vigil(STALL_SECONDS)
        self._vigil.begin()
        try:
            if headers is not None:
                await self._listener.begin(headers)
            await self._listener.take(chunks)
        except asyncio.CancelledError:
            if not self._vigil.has_ended():
                raise
            self._fail(Unavailable("caller_stalled", "The answer was not read for too long."))
        except Exception as error:
            self._fail(error)
        finally:
            self._vigil.end()

    def offer(self, chunk: ChatChunk) -> bool:
        """Give one chunk at once, between two of `put`; False where it must be put instead.

        That is so before the first that is put, also where nobody listens any more: until then the
        task waits, within a bound, for something that it could put.
        """
        if self._vigil is None:
            return False
        if not self._is_open:
            return True  # it is thrown away, as by `put`
        try:
            return self._listener.take_now(chunk)
        except Exception as error:
            self._fail(error)
            return True

    def _fail(self, error: Exception) -> None:
        self.close()
        if not self.failed.done():
            self.failed.set_result(error)
