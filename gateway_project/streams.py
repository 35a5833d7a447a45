"""Between a task that produces a stream and a door that may leave at any moment.

The producer never stops for a door that has gone: what it puts is thrown away, and it goes on to
the provider's end, within bounds, so that the bill is the provider's own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Generic, TypeVar

from providers.errors import TimedOut

from .errors import Unavailable

Item = TypeVar("Item")

ITEMS_MAX = 64
STALL_SECONDS = 30.0


async def until(source: AsyncIterator[Item], seconds: float) -> Item | None:
    """The next item, None at the end; raises TimedOut."""
    try:
        async with asyncio.timeout(seconds):
            return await anext(source, None)
    except TimeoutError as error:
        raise TimedOut(f"nothing came within {seconds:g} s") from error


class Pipe(Generic[Item]):
    """A bounded buffer with one producer and one reader, either of which may end first.

    Both live in one loop. Whoever waits leaves a future, and the other one resolves it.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._changed: asyncio.Future[None] | None = None
        self._has_ended = False
        self._error: Exception | None = None
        self.is_abandoned = False

    async def run(self, source: AsyncGenerator[Item]) -> None:
        """Move everything from `source` to the reader, or on to nowhere once it has left."""
        try:
            async with aclosing(source):
                async for item in source:
                    if len(self._items) >= ITEMS_MAX:
                        await self._wait_for_room()
                    if not self.is_abandoned:
                        self._items.append(item)
                        self._wake()
        except Exception as error:
            self._error = error
        except asyncio.CancelledError:
            self._error = Unavailable("draining", "This gateway is stopping; try again.")
            raise
        finally:
            self._has_ended = True
            self._wake()

    async def _wait_for_room(self) -> None:
        """A reader that takes nothing for STALL_SECONDS counts as gone."""
        try:
            async with asyncio.timeout(STALL_SECONDS):
                while len(self._items) >= ITEMS_MAX and not self.is_abandoned:
                    await self._wait()
        except TimeoutError:
            self.abandon()

    async def get(self) -> Item | None:
        """The next item, or None at the end; raises what the producer raised."""
        while not self._items:
            if self._has_ended:
                if self._error is not None:
                    raise self._error
                return None
            await self._wait()
        item = self._items.popleft()
        self._wake()
        return item

    def abandon(self) -> None:
        """The reader has left: what waits is thrown away, and so is all that comes."""
        self.is_abandoned = True
        self._items.clear()
        self._wake()

    async def _wait(self) -> None:
        """The two never wait at once: one waits for an item, the other for room."""
        self._changed = asyncio.get_running_loop().create_future()
        await self._changed

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
