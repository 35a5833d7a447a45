"""Refused calls, counted: one audit entry per key, reason and minute, so that nobody can make the
chain grow for nothing."""

from __future__ import annotations

from audit.chain import Draft
from budgets.periods import iso

MINUTE_US = 60_000_000
KINDS_MAX = 10_000


class Refusals:
    """Counts of this process that are not in the chain yet."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int, str, int], int] = {}

    def add(self, tenant_id: int, key_id: int, reason: str, now_us: int) -> None:
        kind = (tenant_id, key_id, reason, now_us // MINUTE_US)
        if kind in self._counts or len(self._counts) < KINDS_MAX:
            self._counts[kind] = self._counts.get(kind, 0) + 1

    def take(self, now_us: int, *, is_last: bool) -> list[Draft]:
        """Drafts of the minutes that are over (of all, when the process ends)."""
        over = [kind for kind in self._counts if is_last or kind[3] < now_us // MINUTE_US]
        return [_draft(*kind, count=self._counts.pop(kind)) for kind in sorted(over)]


def _draft(tenant_id: int, key_id: int, reason: str, minute: int, *, count: int) -> Draft:
    return Draft(
        tenant=tenant_id,
        actor=f"key:{key_id}",
        action="llm.refused",
        object=f"key:{key_id}",
        result=reason,
        details={"count": count, "minute": iso(minute * MINUTE_US)},
    )
