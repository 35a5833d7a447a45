"""Bounds on waits that nearly always are none: what `asyncio.timeout` does, for less."""

from __future__ import annotations

import asyncio


class Patience:
    """Cancels the task that makes it, unless it is ended in time."""

    __slots__ = ("_task", "_timer", "_was_cancelled")

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._was_cancelled = task, False
        self._timer = task.get_loop().call_later(seconds, self._cancel)

    def _cancel(self) -> None:
        self._was_cancelled = True
        self._task.cancel()

    def has_ended(self) -> bool:
        """Was it this that cancelled, and nothing else? Asked once, in the task."""
        return self._was_cancelled and self._task.uncancel() == 0

    def end(self) -> None:
        self._timer.cancel()


class Vigil:
    """A bound on each of many waits of one task, with one timer for all of them."""

    __slots__ = (
        "_has_stopped",
        "_loop",
        "_seconds",
        "_since",
        "_task",
        "_timer",
        "_was_cancelled",
    )

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._seconds, self._task, self._loop = seconds, task, task.get_loop()
        self._was_cancelled = self._has_stopped = False
        self._since: float | None = None
        self._timer = self._loop.call_later(seconds, self._look)

    def begin(self) -> None:
        """A wait begins."""
        self._since = self._loop.time()

    def end(self) -> None:
        """It has ended."""
        self._since = None
        if self._has_stopped:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        until = self._seconds + (now if self._since is None else self._since)
        if until <= now:
            self._was_cancelled = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(until, self._look)

    def has_ended(self) -> bool:
        """Was it this that cancelled, and nothing else? Asked once, in the task."""
        return self._was_cancelled and self._task.uncancel() == 0

    def stop(self) -> None:
        """No wait begins any more; one that is under way stays bounded."""
        self._has_stopped = True
        if self._since is None:
            self._timer.cancel()
