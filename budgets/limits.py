"""Request rates by GCRA, in whole microseconds. Pure.

The only state is `tat_us`, the theoretical arrival time: when all that was admitted so far would
have arrived, had it come evenly spaced. A call fits while that is at most one burst ahead of now.

The spacing is rounded up to a whole microsecond. So in any stretch of time at most
count + floor(elapsed * count / per_seconds) are admitted, and each costs less than a microsecond
more than its exact share. `tat_us` does not depend on the limit, so the limit can change at any
time.
"""

from __future__ import annotations

from dataclasses import dataclass

MICROSECONDS = 1_000_000
BURSTS_AHEAD_MAX = 2


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`count` requests per `per_seconds`, all of which may come at once."""

    count: int
    per_seconds: int = 60

    @property
    def spacing_us(self) -> int:
        return -(-self.per_seconds * MICROSECONDS // self.count)


@dataclass(frozen=True, slots=True)
class RateAnswer:
    """`remaining` more would fit now; after `retry_after_us` the same request fits, 0 if it did."""

    allowed: bool
    tat_us: int
    remaining: int
    retry_after_us: int


def take(limit: RateLimit, tat_us: int | None, now_us: int, cost: int = 1) -> RateAnswer:
    """Count `cost` requests now, or refuse them all and leave `tat_us` as it is.

    What can never fit, a `cost` above `count`, is told to come back after one period.
    """
    assert cost > 0, "a call costs at least one"
    if cost > limit.count:
        return RateAnswer(False, tat_us or 0, 0, limit.per_seconds * MICROSECONDS)
    spacing = limit.spacing_us
    burst = limit.count * spacing
    start = _start(tat_us, now_us, burst)
    ahead = start + cost * spacing - now_us
    if ahead > burst:
        remaining = max(now_us + burst - start, 0) // spacing
        return RateAnswer(False, tat_us or 0, remaining, ahead - burst)
    return RateAnswer(True, now_us + ahead, (burst - ahead) // spacing, 0)


def _start(tat_us: int | None, now_us: int, burst_us: int) -> int:
    """Where the next spacing begins: now, or later where earlier calls came too fast.

    A clock that only goes forward leaves at most one burst ahead. Far more than that means that
    the clock went back or a longer period was cut; then counting begins again, else a clock put
    right by a day would refuse for a day.
    """
    if tat_us is None or tat_us > now_us + BURSTS_AHEAD_MAX * burst_us:
        return now_us
    return max(tat_us, now_us)
