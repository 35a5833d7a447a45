"""What happened in the last minute, in a fixed amount of memory."""

from __future__ import annotations

SECONDS = 60


class SlidingMinute:
    """Sums of `fields` whole numbers over the last 60 one-second slots; older slots fall out.

    `now` is in seconds of any clock that does not run backwards; one that does is read as standing
    still. A sum covers more than 59 and at most 60 seconds. An empty slot is None.
    """

    __slots__ = ("_fields", "_second", "_slots", "_sums")

    def __init__(self, fields: int) -> None:
        self._fields = fields
        self._slots: list[list[int] | None] = [None] * SECONDS
        self._sums = [0] * fields
        self._second = 0

    def add(self, now: float, field: int, amount: int = 1) -> None:
        self._advance(now)
        self._put(self._second, field, amount)

    def correct(self, now: float, field: int, amount: int, *, at: float) -> None:
        """Change what was added at the time `at`, unless it has fallen out of the window."""
        self._advance(now)
        if self._second - SECONDS < int(at) <= self._second:
            self._put(int(at), field, amount)

    def total(self, now: float, field: int) -> int:
        self._advance(now)
        return self._sums[field]

    def clear(self, field: int) -> None:
        for slot in self._slots:
            if slot is not None:
                slot[field] = 0
        self._sums[field] = 0

    def seconds_until(self, now: float, field: int, most: int) -> float:
        """Seconds until the sum is at most `most`; 60 where not even an empty window is."""
        self._advance(now)
        left = self._sums[field]
        for second in range(self._second - SECONDS + 1, self._second + 2):
            if left <= most:
                return max(0.0, second - 1 + SECONDS - now)
            slot = self._slots[second % SECONDS]
            left -= slot[field] if slot is not None else 0
        return float(SECONDS)

    def _put(self, second: int, field: int, amount: int) -> None:
        slot = self._slots[second % SECONDS]
        if slot is None:
            slot = self._slots[second % SECONDS] = [0] * self._fields
        slot[field] += amount
        self._sums[field] += amount

    def _advance(self, now: float) -> None:
        """Empty the slots of the seconds that have come since the last look."""
        second = int(now)
        if second <= self._second:
            return
        for passed in range(max(self._second + 1, second - SECONDS + 1), second + 1):
            slot, self._slots[passed % SECONDS] = self._slots[passed % SECONDS], None
            if slot is not None:
                self._sums = [total - gone for total, gone in zip(self._sums, slot, strict=True)]
        self._second = second
