"""Spend, cut by whatever a call is known by: rollups plus the postings that they lack, in one view.

    report = DailySpend up to each tenant's RollupMark + postings above it

so that a report is complete to the last posting, however late the worker is, and its total equals
the ledger to the nano-dollar. Grouped, sorted and counted in SQL; rows come one at a time.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

from django.db import connection

from .snapshot import snapshot

GROUPS_MAX = 500_000
DAYS_MAX = 3_660
CUTS_MAX = 8
CHUNK_ROWS = 1_000
TAG_CUT = re.compile(r"tag:[a-z0-9_.-]{1,32}")
LABELS = {
    "tenant": "tenant_id",
    "key": "key_id",
    "user": "end_user",
    "provider": "provider",
    "model": "model",
}
CUTS = ("day", "month", *LABELS)
LINES = """
WITH lines AS (
    SELECT day_utc, day_local, tenant_id, key_id, end_user, provider, model, tags, attempts,
        input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
        debit_nanos, credit_nanos
    FROM budgets_dailyspend
    UNION ALL
    SELECT p.day_utc, p.day_local, p.tenant_id, p.key_id, p.end_user, p.provider, p.model, p.tags,
        CASE WHEN p.no = 0 THEN 1 ELSE 0 END,
        p.input_tokens, p.output_tokens, p.cache_read_tokens, p.cache_write_tokens,
        p.reasoning_tokens, p.debit_nanos, p.credit_nanos
    FROM budgets_tenant t LEFT JOIN budgets_rollupmark m ON m.tenant_id = t.id
    JOIN budgets_posting p ON p.tenant_id = t.id AND p.seq > COALESCE(m.seq, -1)
)
"""
Clock = Literal["utc", "tenant"]
Part = str | int


class BadAsk(ValueError):
    """A question that cannot be answered; `param` is the part of it that is wrong."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class Ask:
    """Which spend, in days [since, until) of the clock, and what it is cut by.

    `tenants` None means every one. A filter that is None does not narrow; `tag` is (name, value),
    and the value "" finds what has not got the tag. Raises BadAsk.
    """

    since: date
    until: date
    by: tuple[str, ...] = ()
    clock: Clock = "utc"
    tenants: frozenset[int] | None = None
    key_id: int | None = None
    user: str | None = None
    provider: str | None = None
    model: str | None = None
    tag: tuple[str, str] | None = None
    is_dearest_first: bool = False

    def __post_init__(self) -> None:
        if not 0 < (self.until - self.since).days <= DAYS_MAX:
            raise BadAsk("until", f"must be 1 to {DAYS_MAX} days after since.")
        if len(self.by) > CUTS_MAX or len(set(self.by)) != len(self.by):
            raise BadAsk("by", f"takes at most {CUTS_MAX} different cuts.")
        for cut in self.by:
            if cut not in CUTS and not TAG_CUT.fullmatch(cut):
                raise BadAsk("by", f"takes {', '.join(CUTS)} and tag:NAME, not {cut[:50]!r}.")


@dataclass(frozen=True, slots=True)
class Sums:
    """What groups add up to: exact whole numbers."""

    attempts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    debit_nanos: int = 0
    credit_nanos: int = 0

    @property
    def net_nanos(self) -> int:
        return self.debit_nanos - self.credit_nanos

    def values(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in MEASURES)


MEASURES = tuple(field.name for field in fields(Sums))


@dataclass(frozen=True, slots=True)
class Row:
    """One group: the parts of its key in the order of `Ask.by`, and its sums."""

    key: tuple[Part, ...]
    sums: Sums


@dataclass(frozen=True, slots=True)
class Report:
    """The total, the number of groups, and the groups one by one; read it inside `report`."""

    ask: Ask
    total: Sums
    groups: int
    rows: Iterator[Row]


@contextmanager
def report(ask: Ask) -> Iterator[Report]:
    """One question answered from one frozen view. Raises BadAsk above GROUPS_MAX groups."""
    with snapshot():
        groups, total = _total(ask)
        if groups > GROUPS_MAX:
            raise BadAsk("by", f"makes {groups} groups, and a report has at most {GROUPS_MAX}.")
        rows = _rows(ask)
        try:
            yield Report(ask, total, groups, rows)
        finally:
            rows.close()  # not when memory is tidied: that may be in the middle of another query


def _total(ask: Ask) -> tuple[int, Sums]:
    query, values = _grouped(ask)
    sums = ", ".join(f"COALESCE(SUM({name}), 0)" for name in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(f"{LINES} SELECT COUNT(*), {sums} FROM ({query}) g", values)
        groups, *found = cursor.fetchone()
    return int(groups), Sums(*(int(value) for value in found))


def _rows(ask: Ask) -> Generator[Row]:
    query, values = _grouped(ask)
    width = len(ask.by)
    names = [str(at + 1) for at in range(width)]
    first = ["debit_nanos - credit_nanos DESC"] if ask.is_dearest_first else []
    tail = f" ORDER BY {', '.join([*first, *names])}" if names else ""
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"{LINES} SELECT * FROM ({query}) g{tail}", values)
        while rows := cursor.fetchmany(CHUNK_ROWS):
            for row in rows:
                yield Row(tuple(row[:width]), Sums(*(int(value) for value in row[width:])))


def _grouped(ask: Ask) -> tuple[str, list[Any]]:
    """The query behind LINES; no group at all where there is no line."""
    columns, values = [], []
    for at, cut in enumerate(ask.by):
        text, own = _column(ask, cut)
        columns.append(f"{text} AS cut_{at}")
        values += own
    where, own = _where(ask)
    sums = [f"SUM({name}) AS {name}" for name in MEASURES]
    tail = f"GROUP BY {', '.join(str(at + 1) for at in range(len(columns)))}" if columns else ""
    having = "" if columns else " HAVING COUNT(*) > 0"
    query = f"SELECT {', '.join([*columns, *sums])} FROM lines WHERE {where} {tail}{having}"
    return query, values + own


def _column(ask: Ask, cut: str) -> tuple[str, list[Any]]:
    if cut == "day":
        return _day(ask), []
    if cut == "month":
        return f"SUBSTR({_day(ask)}, 1, 7)", []
    return _tag(cut.removeprefix("tag:")) if cut.startswith("tag:") else (LABELS[cut], [])


def _day(ask: Ask) -> str:
    return "day_utc" if ask.clock == "utc" else "day_local"


def _tag(name: str) -> tuple[str, list[Any]]:
    """The value of a named tag among `a=1,b=2`, or nothing where it is missing."""
    start = f",{name}="
    if connection.vendor == "postgresql":
        return "SPLIT_PART(SPLIT_PART(',' || tags, %s, 2), ',', 1)", [start]
    rest = "SUBSTR(',' || tags || ',', INSTR(',' || tags, %s) + %s)"
    text = f"SUBSTR({rest}, 1, INSTR({rest}, ',') - 1)"
    here = [start, len(start)]
    return f"CASE WHEN INSTR(',' || tags, %s) = 0 THEN '' ELSE {text} END", [start, *here, *here]


def _where(ask: Ask) -> tuple[str, list[Any]]:
    terms = [f"{_day(ask)} >= %s", f"{_day(ask)} < %s"]
    values: list[Any] = [ask.since.isoformat(), ask.until.isoformat()]
    if ask.tenants is not None:
        terms.append(f"tenant_id IN ({_numbers(sorted(ask.tenants))})")
    exact = (
        ("key_id", ask.key_id),
        ("end_user", ask.user),
        ("provider", ask.provider),
        ("model", ask.model),
    )
    for column, wanted in exact:
        if wanted is not None:
            terms.append(f"{column} = %s")
            values.append(wanted)
    if ask.tag is not None:
        text, own = _tag(ask.tag[0])
        terms.append(f"{text} = %s")
        values += [*own, ask.tag[1]]
    return " AND ".join(terms), values


def _numbers(ids: Sequence[int]) -> str:
    """Whole numbers of ours, written out: there may be more of them than a query has parameters."""
    return ", ".join(str(int(number)) for number in ids) or "NULL"
