"""Sums of spend for pages: the rollup, and on top of it the postings that it has not reached yet.

So a page shows what the ledger knows at this moment, however late the worker is. Days are UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection

from budgets.snapshot import snapshot

COLUMNS = frozenset({"day_utc", "tenant_id", "key_id", "model"})
GROUPS_MAX = 50_000
ROLLED_UP = """
    SELECT {by}, SUM(d.debit_nanos - d.credit_nanos), SUM(d.input_tokens + d.output_tokens)
    FROM budgets_dailyspend d WHERE d.day_utc >= %s{narrow} GROUP BY {by} LIMIT {limit}
"""
NOT_YET = """
    SELECT {by}, SUM(d.debit_nanos - d.credit_nanos), SUM(d.input_tokens + d.output_tokens)
    FROM budgets_tenant t
    LEFT JOIN budgets_rollupmark m ON m.tenant_id = t.id
    JOIN budgets_posting d ON d.tenant_id = t.id AND d.seq > COALESCE(m.seq, -1)
    WHERE d.day_utc >= %s{narrow} GROUP BY {by} LIMIT {limit}
"""
Key = tuple[str | int, ...]


@dataclass(slots=True)
class Sum:
    cost_nanos: int = 0
    tokens: int = 0


def today(now_us: int) -> date:
    """The UTC day that the ledger is in."""
    return datetime.fromtimestamp(now_us / 1_000_000, UTC).date()


def spend(
    by: Sequence[str],
    since: date,
    *,
    tenants: Collection[int] | None,
    keys: Collection[int] | None = None,
) -> dict[Key, Sum]:
    """Nano-dollars and tokens since a day, by these columns; `tenants` None means every one."""
    assert COLUMNS.issuperset(by)
    narrow, values = "", [since.isoformat()]
    for column, wanted in (("tenant_id", tenants), ("key_id", keys)):
        if wanted is not None:
            numbers = ", ".join(str(int(number)) for number in wanted) or "-1"
            narrow += f" AND d.{column} IN ({numbers})"
    names = ", ".join(f"d.{name}" for name in by)
    found: dict[Key, Sum] = defaultdict(Sum)
    with snapshot(), connection.cursor() as cursor:
        for query in (ROLLED_UP, NOT_YET):
            cursor.execute(query.format(by=names, narrow=narrow, limit=GROUPS_MAX), values)
            for *key, cost, tokens in cursor.fetchall():
                group = found[tuple(key)]
                group.cost_nanos += int(cost)
                group.tokens += int(tokens)
    return dict(found)
