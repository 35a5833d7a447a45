"""Sums of spend for pages, from the same question that reports answer: complete to the last
posting, however late the worker is. Days are UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from budgets import reports
from budgets.reports import Part

from ..clock import now_us


@dataclass(frozen=True, slots=True)
class Sum:
    cost_nanos: int = 0
    tokens: int = 0


def today(now_us: int) -> date:
    """The UTC day that the ledger is in."""
    return datetime.fromtimestamp(now_us / 1_000_000, UTC).date()


def spend(
    by: Sequence[str], since: date, *, tenants: Collection[int] | None
) -> dict[tuple[Part, ...], Sum]:
    """Nano-dollars and tokens since a day, by these cuts of a report; `tenants` None means all."""
    ask = reports.Ask(
        since=since,
        until=max(since, today(now_us())) + timedelta(days=1),
        by=tuple(by),
        tenants=None if tenants is None else frozenset(tenants),
    )
    with reports.report(ask) as report:
        return {
            row.key: Sum(row.sums.net_nanos, row.sums.input_tokens + row.sums.output_tokens)
            for row in report.rows
        }
