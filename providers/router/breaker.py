"""A circuit breaker: closed, open until a time, then half-open with one probe at a time. Pure.

    closed --trip--> open --time--> half-open --probe succeeds--> closed
                       ^------------------- probe fails ---------------|

Only the outcome of the probe decides in half-open: stragglers that began before it change nothing.
A later recovery time always wins over an earlier one. A probe that never reports loses its place
when its lease is over, so that a lost call cannot keep a deployment away for ever.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Times are seconds of the caller's clock. `reason` says why it is not closed."""

    __slots__ = ("_lease_until", "_probe", "_tickets", "open_until", "reason")

    def __init__(self) -> None:
        self.open_until: float | None = None
        self.reason = ""
        self._probe: int | None = None
        self._lease_until = 0.0
        self._tickets = 0

    def state(self, now: float) -> State:
        if self.open_until is None:
            return State.CLOSED
        return State.OPEN if now < self.open_until else State.HALF_OPEN

    def is_probed(self, now: float) -> bool:
        return self._probe is not None and now < self._lease_until

    def lets_through(self, now: float) -> bool:
        state = self.state(now)
        return state is State.CLOSED or (state is State.HALF_OPEN and not self.is_probed(now))

    def take(self, now: float, lease_seconds: float) -> int | None:
        """Begin an attempt: a ticket where it is the probe, None where it is an ordinary one."""
        if self.state(now) is not State.HALF_OPEN or self.is_probed(now):
            return None
        self._tickets += 1
        self._probe = self._tickets
        self._lease_until = now + lease_seconds
        return self._probe

    def open(self, until: float, reason: str) -> None:
        if self.open_until is None or until >= self.open_until:
            self.open_until, self.reason = until, reason

    def close(self) -> None:
        self.open_until, self.reason, self._probe = None, "", None

    def holds(self, ticket: int | None) -> bool:
        """Whether this attempt is the probe that decides."""
        return ticket is not None and ticket == self._probe

    def release(self, ticket: int | None) -> None:
        """The probe came to nothing (cancelled, say): the next call may probe."""
        if self.holds(ticket):
            self._probe = None
