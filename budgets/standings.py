"""How budgets stand now: spent, held and limit of the window that is open, as one row each.

A budget whose window nobody has opened yet stands at nothing spent. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from . import periods
from .models import ApiKey, Budget, Tenant, Window

ROWS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit and where it stands; all amounts in nano-dollars, times in microseconds UTC."""

    budget: Budget
    key: ApiKey | None
    starts_us: int
    ends_us: int
    limit_nanos: int
    spent_nanos: int
    held_nanos: int
    over_nanos: int

    @property
    def free_nanos(self) -> int:
        return max(0, self.limit_nanos - self.spent_nanos - self.held_nanos)

    @property
    def percent(self) -> int:
        """Of the limit, spent and held together; 100 for a limit of nothing."""
        used = self.spent_nanos + self.held_nanos
        return 100 if self.limit_nanos == 0 else min(100, used * 100 // self.limit_nanos)


def interval(tenant: Tenant, period: str, at_us: int) -> periods.Interval:
    """The window of this tenant's budgets that `at_us` lies in."""
    return periods.in_force(
        periods.named(period),
        tenant.zone,
        at_us,
        zone_before=tenant.zone_before,
        changed_us=tenant.zone_changed_us,
    )


def current(budgets: QuerySet[Budget], now_us: int) -> list[Standing]:
    """Standings of these active budgets, at most ROWS_MAX; a limit of each key has one per key
    that has spent, and one of its own that says what a new key has."""
    rows = list(budgets.filter(is_active=True).select_related("tenant", "api_key")[:ROWS_MAX])
    intervals = {row.id: interval(row.tenant, row.period, now_us) for row in rows}
    windows = _windows(rows, intervals)
    keys = _keys(windows)
    found = []
    for budget in rows:
        own = windows.get(budget.id, [])
        if budget.scope == Budget.Scope.KEY and budget.api_key is None:
            found += [_standing(budget, keys.get(w.subject), intervals[budget.id], w) for w in own]
            found.append(_standing(budget, None, intervals[budget.id], None))
        else:
            window = own[0] if own else None
            found.append(_standing(budget, budget.api_key, intervals[budget.id], window))
    return found


def _windows(
    budgets: Iterable[Budget], intervals: dict[int, periods.Interval]
) -> dict[int, list[Window]]:
    starts: dict[int, list[int]] = {}
    for budget in budgets:
        starts.setdefault(intervals[budget.id].starts_us, []).append(budget.id)
    found: dict[int, list[Window]] = {}
    for start, ids in starts.items():
        for at in range(0, len(ids), 500):
            some = Q(starts_us=start, budget_id__in=ids[at : at + 500])
            for window in Window.objects.filter(some).order_by("id")[:ROWS_MAX]:
                found.setdefault(window.budget_id, []).append(window)
    return found


def _keys(windows: dict[int, list[Window]]) -> dict[str, ApiKey]:
    numbers = {int(w.subject) for rows in windows.values() for w in rows if w.subject}
    ids = sorted(numbers)
    found: dict[str, ApiKey] = {}
    for at in range(0, len(ids), 500):
        for key in ApiKey.objects.filter(id__in=ids[at : at + 500]):
            found[str(key.id)] = key
    return found


def _standing(
    budget: Budget, key: ApiKey | None, interval: periods.Interval, window: Window | None
) -> Standing:
    return Standing(
        budget=budget,
        key=key,
        starts_us=interval.starts_us,
        ends_us=interval.ends_us,
        limit_nanos=budget.limit_nanos,
        spent_nanos=window.spent_nanos if window else 0,
        held_nanos=window.held_nanos if window else 0,
        over_nanos=window.over_nanos if window else 0,
    )
