"""The check of the chains as a stream of JSON lines: how far it is, and then what it found.

The check runs in a thread with a database connection of its own. Its lines pass through a bounded
queue: a reader that is slow slows the check, one that has left ends it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from django.db import connection

from audit.models import Head
from budgets.models import Posting

from .. import verification

LINES_MAX = 16
STALL_SECONDS = 30.0
AT_ONCE_MAX = 2
Line = dict[str, Any]
places = threading.BoundedSemaphore(AT_ONCE_MAX)


class ReaderLeft(Exception):
    """Nobody takes the lines any more."""


async def lines(chains: Mapping[int, str]) -> AsyncGenerator[bytes]:
    """Check these chains, by the names that they are shown under."""
    if not places.acquire(blocking=False):
        yield _written({"state": "busy"})
        return
    queue: asyncio.Queue[Line | None] = asyncio.Queue(LINES_MAX)
    check = Check(chains, queue, asyncio.get_running_loop())
    threading.Thread(target=check.run, name="verify", daemon=True).start()
    try:
        while (line := await queue.get()) is not None:
            yield _written(line)
    finally:
        check.has_left.set()
        while not queue.empty():
            queue.get_nowait()


class Check:
    """One run over the chains; `run` is the body of its thread."""

    def __init__(
        self,
        chains: Mapping[int, str],
        queue: asyncio.Queue[Line | None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._chains, self._queue, self._loop = chains, queue, loop
        self.has_left = threading.Event()
        self._done = self._total = self._in_pass = self._entries = 0

    def run(self) -> None:
        try:
            with suppress(ReaderLeft):
                self._put(self._outcome())
                self._put(None)
        finally:
            connection.close()
            places.release()

    def _outcome(self) -> Line:
        try:
            return self._check()
        except ReaderLeft:
            raise
        except Exception:
            self._put({"state": "failed"})
            raise

    def _check(self) -> Line:
        ids = list(self._chains)
        heads = Head.objects.filter(tenant__in=ids).values_list("seq", flat=True)
        self._total = sum(seq + 1 for seq in heads)
        self._total += Posting.objects.filter(tenant_id__in=ids).count()
        self._tell("")
        bad = []
        for chain, name in self._chains.items():
            self._in_pass = 0
            report = verification.verify(chain, partial(self._on, name))
            self._entries += report.entries.get(chain, 0)
            bad += [{"chain": name, "seq": each.seq, "reason": each.reason} for each in report.bad]
        return {
            "state": "broken" if bad else "intact",
            "chains": len(self._chains),
            "entries": self._entries,
            "bad": bad,
        }

    def _on(self, name: str, count: int) -> None:
        """Counts begin anew where the entries end and the postings begin."""
        self._done += count - self._in_pass if count > self._in_pass else count
        self._in_pass = count
        self._tell(name)

    def _tell(self, name: str) -> None:
        done = min(self._done, self._total)
        self._put({"state": "running", "checked": done, "total": self._total, "chain": name})

    def _put(self, line: Line | None) -> None:
        if self.has_left.is_set():
            raise ReaderLeft
        try:
            put = asyncio.run_coroutine_threadsafe(self._queue.put(line), self._loop)
            put.result(STALL_SECONDS)
        except (TimeoutError, RuntimeError) as error:  # the reader stalls, or its loop has ended
            raise ReaderLeft from error


def _written(line: Line) -> bytes:
    return orjson.dumps(line) + b"\n"
