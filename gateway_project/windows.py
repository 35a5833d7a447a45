"""Which windows a caller's calls count against now: the same ones from call to call, until the
first of them ends or the caller's limits change."""

from __future__ import annotations

from dataclasses import dataclass

from budgets import periods
from budgets.operations import WindowKey

from .facts import Principal

CALLERS_MAX = 100_000
HARDLY = 1_000
UNLIMITED = 2**63


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    from_us: int
    until_us: int
    keys: tuple[WindowKey, ...]


class Windows:
    """Remembers the windows of a key for as long as they are the right ones."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._free: dict[int, int] = {}

    def saw_free(self, key_id: int, free_nanos: int | None) -> None:
        """What the ledger said that the tightest window of a key still affords."""
        if len(self._free) >= CALLERS_MAX:
            self._free.clear()
        self._free[key_id] = UNLIMITED if free_nanos is None else free_nanos

    def are_wide(self, key_id: int, amount_nanos: int) -> bool:
        """Was so much left when last seen that this amount, or a little more, hardly counts?"""
        return self._free.get(key_id, 0) >= amount_nanos * HARDLY

    def of(self, principal: Principal, now_us: int) -> tuple[WindowKey, ...]:
        """One window per limit, each containing `now_us`."""
        known = self._known.get(principal.key_id)
        if (
            known is None
            or known.principal is not principal
            or not known.from_us <= now_us < known.until_us
        ):
            if len(self._known) >= CALLERS_MAX:
                self._known.clear()
            known = self._known[principal.key_id] = _find(principal, now_us)
        return known.keys


def _find(principal: Principal, now_us: int) -> _Known:
    keys = []
    for limit in principal.limits:
        interval = periods.in_force(
            limit.period,
            principal.zone,
            now_us,
            zone_before=principal.zone_before,
            changed_us=principal.zone_changed_us,
        )
        keys.append(
            WindowKey(
                limit.budget_id,
                limit.subject,
                interval.starts_us,
                interval.ends_us,
                limit.scope,
            )
        )
    starts = max((key.starts_us for key in keys), default=0)
    ends = min((key.ends_us for key in keys), default=now_us + 1)
    return _Known(principal, starts, ends, tuple(keys))
