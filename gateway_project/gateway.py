"""A running gateway: its snapshot, its books, its transport, and the tasks that it owns.

One per process, made on first use in the loop that serves. Whatever must outlive a caller runs as
a task of the gateway (`own`), so that a hang-up on any door cancels nothing that costs money.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, Error, InterfaceError, OperationalError, connection

from budgets.operations import RateRefused
from providers.client import Limits
from providers.lean_transport import LeanTransport

from .books import Books, Submission
from .call_log import CallLog, save
from .directory import Directory, KeyRow
from .errors import Unavailable
from .plans import Plans
from .reaper import beat, expired, register
from .refusals import Refusals
from .windows import Windows

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

POLL_SECONDS = 0.5
BEAT_SECONDS = 5.0
LOG_SECONDS = 1.0
DRAIN_SECONDS = 180
BOOKING_SECONDS = 5.0
LOST = (InterfaceError, OperationalError)
REFUSED_KEYS_MAX = 10_000
UNKNOWN_KEYS_MAX = 10_000
UNKNOWN_KEY_SECONDS = 1.0


class Gateway:
    """Make it inside a running loop, `start` it once, `stop` it to drain."""

    def __init__(self) -> None:
        self.directory = Directory()
        self.books = Books()
        self.refusals = Refusals()
        self.log = CallLog()
        self.windows = Windows()
        self.plans = Plans()
        self.tokens_max: int = settings.TOKEN_LIMIT
        self.hold_seconds_max: int = settings.TOTAL_SECONDS + DRAIN_SECONDS
        self.limits = Limits(
            settings.FIRST_BYTE_SECONDS, settings.ANSWER_SECONDS, settings.TOTAL_SECONDS
        )
        self.transport = LeanTransport()
        self.owner = 0
        self._loop = asyncio.get_running_loop()
        self._clock_offset_us = settings.CLOCK_SHIFT_SECONDS * 1_000_000
        self._threads = ThreadPoolExecutor(1, "directory")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._rate_refused: OrderedDict[int, tuple[RateRefused, float]] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._refreshed = asyncio.Lock()

    async def start(self) -> None:
        await self.in_thread(self.directory.refresh)
        self.owner = await self.in_thread(lambda: register(socket.gethostname()))
        self._loops = [
            asyncio.create_task(_forever(POLL_SECONDS, self.refresh)),
            asyncio.create_task(_forever(BEAT_SECONDS, self._tick)),
            asyncio.create_task(_forever(LOG_SECONDS, self._save_log)),
        ]

    async def stop(self, seconds_max: float) -> None:
        """Let calls under way finish, at most so long; cut the others, book all, and close."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds_max)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=BOOKING_SECONDS)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        try:
            await self._save_log()
        except DatabaseError:  # the log must not keep the books from being closed
            logger.exception("the last lines of the request log were not written")
        self._flush_refusals(is_last=True)
        await asyncio.to_thread(self.books.close)
        self._threads.shutdown(wait=True)
        await self.transport.close()

    def own(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `work` as a task of this process, kept until it ends."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def answered(self, work: Coroutine[Any, Any, Result]) -> asyncio.Future[Result]:
        """The outcome of `work`, which goes on as a task of this process if nobody awaits it."""
        answer: asyncio.Future[Result] = self._loop.create_future()

        def ended(task: asyncio.Task[None]) -> None:
            if not answer.done():  # it was cut, perhaps before it began
                work.close()
                answer.cancel()

        self.own(_answer(work, answer)).add_done_callback(ended)
        return answer

    def now_us(self) -> int:
        """The ledger's clock, as this process last saw it."""
        return time.time_ns() // 1000 + self._clock_offset_us

    def saw_clock(self, now_us: int) -> None:
        self._clock_offset_us = now_us - time.time_ns() // 1000

    def rate_refusal(self, key_id: int) -> RateRefused | None:
        """What this process knows of a key that the ledger refused until some time ahead."""
        known = self._rate_refused.get(key_id)
        if known is None:
            return None
        refused, until = known
        left = int((until - time.monotonic()) * 1_000_000)
        if left <= 0:
            self._rate_refused.pop(key_id, None)
            return None
        return RateRefused(refused.limit, left)

    def remember_rate_refusal(self, key_id: int, refused: RateRefused) -> None:
        until = time.monotonic() + refused.retry_after_us / 1_000_000
        self._rate_refused[key_id] = (refused, until)
        if len(self._rate_refused) > REFUSED_KEYS_MAX:
            self._rate_refused.popitem(last=False)

    async def refresh(self) -> None:
        """Read what is new of keys and limits; raises Unavailable."""
        async with self._refreshed:
            await self._read(self.directory.refresh)

    async def has_news(self) -> bool:
        """Is the database ahead of the snapshot that a call was refused by?"""
        before = self.directory.version
        await self.refresh()
        return self.directory.version != before

    async def look_up(self, digest: bytes) -> KeyRow | None:
        """A key that is newer than the snapshot; a miss is remembered for a second.

        Raises Unavailable where that cannot be said: who may call has not been decided then.
        """
        seen = self._unknown.get(digest)
        if seen is not None and time.monotonic() - seen < UNKNOWN_KEY_SECONDS:
            return None
        key = await self._read(lambda: self.directory.look_up(digest))
        if key is None:
            self._unknown[digest] = time.monotonic()
            if len(self._unknown) > UNKNOWN_KEYS_MAX:
                self._unknown.popitem(last=False)
        return key

    async def _read(self, work: Callable[[], Result]) -> Result:
        """Read, and once more on a new connection where that was lost; raises Unavailable."""
        try:
            return await self.in_thread(work)
        except LOST:
            pass
        try:
            return await self.in_thread(work)
        except LOST as error:
            message = "Keys and limits cannot be read now; try again."
            raise Unavailable("directory_unavailable", message) from error

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run database work on the one thread that this gateway reads with."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: _with_connection(work))

    async def _tick(self) -> None:
        await self.in_thread(lambda: beat(self.owner))
        operations = await self.in_thread(expired)
        for operation in operations:
            self.books.put(Submission((operation,)))
        self._flush_refusals(is_last=False)

    async def _save_log(self) -> None:
        calls, refused = self.log.take()
        if not calls and not refused:
            return
        try:
            await self.in_thread(lambda: save(calls, refused))
        except DatabaseError:
            self.log.put_back(calls, refused)
            raise

    def _flush_refusals(self, *, is_last: bool) -> None:
        drafts = self.refusals.take(self.now_us(), is_last=is_last)
        if drafts:
            self.books.put(Submission((), drafts))


async def _answer(work: Coroutine[Any, Any, Result], answer: asyncio.Future[Result]) -> None:
    """`asyncio.shield` does this in two more turns of the loop."""
    try:
        result = await work
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a tokenizer's panic is none of `Exception`
        if not answer.done():
            answer.set_exception(error)
    else:
        if not answer.done():
            answer.set_result(result)


def _with_connection(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except Error:  # a lost connection is an InterfaceError too, which is no DatabaseError
        connection.close()
        raise


async def _forever(seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:
            logger.exception("a periodic task of the gateway failed; it runs again")


_running: list[asyncio.Task[Gateway]] = []
"""Of this process: one at most, none after a fork."""

os.register_at_fork(after_in_child=_running.clear)


async def running() -> Gateway:
    """The gateway of this process, started on first use."""
    if not _running:
        _running.append(asyncio.create_task(_start()))
        _running[0].add_done_callback(_forget_failure)
    task = _running[0]
    return task.result() if task.done() else await asyncio.shield(task)


async def stop(seconds_max: float) -> None:
    if _running:
        await (await _running.pop()).stop(seconds_max)


async def _start() -> Gateway:
    gateway = Gateway()
    await gateway.start()
    return gateway


def _forget_failure(task: asyncio.Task[Gateway]) -> None:
    if task in _running and (task.cancelled() or task.exception() is not None):
        _running.remove(task)
