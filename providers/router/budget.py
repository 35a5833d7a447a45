"""A retry budget: retries are a share of the calls, so that a dead provider is not beaten. Pure."""

from __future__ import annotations

RETRIES_PER_CALL_PERCENT = 20
RESERVE = 10


class RetryBudget:
    """A token bucket that holds at most 10 retries; every call pays 0.2 of one in.

    It starts full, or the first failure of a new process could not be retried, but what it starts
    with is a loan: the first 50 calls pay it back. So of the first n calls at most
    max(10, 0.2 n) are retried, and after any pause no more than 10 + 0.2 n.
    """

    __slots__ = ("_cents", "_owed_cents")

    def __init__(self) -> None:
        self._cents = RESERVE * 100
        self._owed_cents = RESERVE * 100

    @property
    def retries_left(self) -> int:
        return self._cents // 100

    def pay_in(self) -> None:
        """A call begins."""
        if self._owed_cents > 0:
            self._owed_cents -= RETRIES_PER_CALL_PERCENT
            return
        self._cents = min(RESERVE * 100, self._cents + RETRIES_PER_CALL_PERCENT)

    def spend(self) -> bool:
        """Take one retry; False where none is left."""
        if self._cents < 100:
            return False
        self._cents -= 100
        return True
