"""Who does the I/O that a generator of `exchange.py` asks for: a thread, or a loop.

Both have the same few lines on purpose: nothing is decided here.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar

from ..errors import ProviderError
from ..sender import Answer
from ..sync_transport import SyncHttpAnswer
from .connections import async_sender, sync_sender
from .exchange import (
    Answered,
    Begun,
    Body,
    Fetch,
    Fetched,
    More,
    Open,
    Outgoing,
    Pause,
    Posted,
    Steps,
)

DRAIN_READS_MAX = 8
DRAIN_SECONDS = 1.0

Outcome = TypeVar("Outcome", Answered, Begun, Posted)


def _how(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "headers": outgoing.headers,
        "body": outgoing.body,
        "first_byte_seconds": outgoing.first_byte_seconds,
        "total_seconds": outgoing.total_seconds,
    }


class SyncDriver:
    """Runs a call in the caller's thread; it may hold one open connection."""

    def __init__(self, client: Any = None) -> None:
        self._client = client
        self._held: AbstractContextManager[SyncHttpAnswer] | None = None
        self._answer: SyncHttpAnswer | None = None

    def run(self, steps: Steps[Outcome]) -> Outcome:
        """The generator's outcome; whatever it raises, nothing stays open."""
        came: Any = None
        try:
            step = next(steps)
            while True:
                try:
                    came = self._do(step)
                except ProviderError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(came)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        except BaseException:
            self.close()
            raise

    def more(self) -> bytes:
        """b"" at the end, and where nothing is open."""
        return b"" if self._answer is None else next(self._answer.chunks, b"")

    def drain(self) -> None:
        """Read what follows a stream's end, so that its connection can be used again."""
        try:
            for _ in range(DRAIN_READS_MAX):
                if not self.more():
                    break
        except ProviderError:
            pass
        self.close()

    def close(self) -> None:
        """Safe to call at any time, more than once."""
        held, self._held, self._answer = self._held, None, None
        if held is not None:
            held.__exit__(None, None, None)

    def _do(self, step: Fetch | Open | More | Body | Pause) -> Any:
        match step:
            case Fetch(outgoing):
                sender = sync_sender(self._client)
                with sender.send(outgoing.url, **_how(outgoing)) as answer:
                    return Fetched(answer.status, answer.headers, answer.body())
            case Open(outgoing):
                self.close()
                held = sync_sender(self._client).send(outgoing.url, **_how(outgoing))
                self._answer = held.__enter__()
                self._held = held
                return Fetched(self._answer.status, self._answer.headers)
            case More():
                return self.more()
            case Body():
                assert self._answer is not None
                return self._answer.body()
            case Pause(seconds):
                self.close()
                time.sleep(seconds)
        return None


class AsyncDriver:
    """Runs a call in the caller's task; it may hold one open connection."""

    def __init__(self, client: Any = None) -> None:
        self._client = client
        self._held: AbstractAsyncContextManager[Answer] | None = None
        self._answer: Answer | None = None

    async def run(self, steps: Steps[Outcome]) -> Outcome:
        """The generator's outcome; whatever it raises, nothing stays open."""
        came: Any = None
        try:
            step = next(steps)
            while True:
                try:
                    came = await self._do(step)
                except ProviderError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(came)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        except BaseException:
            await self.close()
            raise

    async def more(self) -> bytes:
        """b"" at the end, and where nothing is open."""
        return b"" if self._answer is None else await anext(self._answer.chunks, b"")

    async def drain(self) -> None:
        """Read what follows a stream's end, so that its connection can be used again."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                for _ in range(DRAIN_READS_MAX):
                    if not await self.more():
                        break
        except (ProviderError, TimeoutError):
            pass
        await self.close()

    async def close(self) -> None:
        """Safe to call at any time, more than once."""
        held, self._held, self._answer = self._held, None, None
        if held is not None:
            await held.__aexit__(None, None, None)

    async def _do(self, step: Fetch | Open | More | Body | Pause) -> Any:
        match step:
            case Fetch(outgoing):
                sender = await async_sender(self._client)
                async with sender.send(outgoing.url, **_how(outgoing)) as answer:
                    return Fetched(answer.status, answer.headers, await answer.body())
            case Open(outgoing):
                await self.close()
                sender = await async_sender(self._client)
                held = sender.send(outgoing.url, **_how(outgoing))
                self._answer = await held.__aenter__()
                self._held = held
                return Fetched(self._answer.status, self._answer.headers)
            case More():
                return await self.more()
            case Body():
                assert self._answer is not None
                return await self._answer.body()
            case Pause(seconds):
                await self.close()
                await asyncio.sleep(seconds)
        return None
