"""The chain in the database: lock its head, append, verify.

Every function works inside its caller's transaction, on a Django cursor, and knows both engines.
Whoever appends holds the row lock of the tenant's head (on SQLite, the one write lock), so two
writers can never link to the same entry; the head's compare-and-set proves it each time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from .chain import Bad, Checker, Draft, Entry, Head, extend, genesis
from .shapes import Change

PAGE_ROWS = 2_000
NOW_US = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
BLOCK = 32
FROM_JSON = (
    "INSERT INTO audit_entry (tenant, seq, hash, body) "
    "SELECT t, s, decode(h, 'hex'), convert_to(b, 'UTF8') "
    "FROM json_to_recordset(%s::json) AS r(t bigint, s bigint, h text, b text)"
)
TRIGGERS = {
    "postgresql": (
        "audit_entry_change",
        "audit_entry_truncate",
    ),
    "sqlite": ("audit_entry_update", "audit_entry_delete", "audit_entry_insert"),
}


class NoLog(LookupError):
    """A tenant without a chain; `open_log` makes one."""


class ForkRefused(RuntimeError):
    """The head moved although it was locked; nothing was appended."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` saw: entries per tenant, and the first bad one of each broken chain."""

    entries: Mapping[int, int]
    bad: Sequence[Bad]

    @property
    def is_intact(self) -> bool:
        return not self.bad


def database_now_us(cursor: Any, vendor: str) -> int:
    """Microseconds since the epoch by the database's clock (SQLite: this host's)."""
    if vendor != "postgresql":
        return time.time_ns() // 1000
    cursor.execute(f"SELECT {NOW_US}")
    return int(cursor.fetchone()[0])


def heads_query(vendor: str, tenants: Iterable[int]) -> tuple[str, Sequence[Any]] | None:
    """What locks the heads in ascending tenant, if there are any; `heads_in` reads the rows."""
    wanted = sorted(set(tenants))
    if not wanted:
        return None
    head = "SELECT tenant, seq, hash, ts_us FROM audit_head WHERE tenant"
    if vendor == "postgresql":
        listed = f"{{{','.join(map(str, wanted))}}}"
        return f"{head} = ANY(%s) ORDER BY tenant FOR NO KEY UPDATE", (listed,)
    listed = orjson.dumps(wanted).decode()
    return f"{head} IN (SELECT value FROM json_each(%s)) ORDER BY tenant", (listed,)


def heads_in(rows: Iterable[Sequence[Any]], tenants: Iterable[int]) -> dict[int, Head]:
    """Rows of `heads_query` by tenant; raises NoLog for a tenant without one."""
    heads = {row[0]: Head(row[0], row[1], bytes(row[2]), row[3]) for row in rows}
    for tenant in tenants:
        if tenant not in heads:
            raise NoLog(f"tenant {tenant} has no audit log")
    return heads


def lock_heads(cursor: Any, vendor: str, tenants: Iterable[int]) -> dict[int, Head]:
    """Lock the heads in ascending tenant; raises NoLog for a tenant without one."""
    wanted = set(tenants)
    query = heads_query(vendor, wanted)
    if query is None:
        return {}
    cursor.execute(*query)
    return heads_in(cursor.fetchall(), wanted)


def write(
    cursor: Any,
    vendor: str,
    before: Mapping[int, Head],
    after: Mapping[int, Head],
    entries: Sequence[Entry],
) -> None:
    """Insert entries and move heads from `before` to `after`; raises ForkRefused."""
    for change in changes(vendor, before, after, entries):
        cursor.execute(change.text, change.values)
        if change.rows is not None and cursor.rowcount != change.rows:
            raise change.refusal or ForkRefused("the head of a tenant has moved")


def changes(
    vendor: str,
    before: Mapping[int, Head],
    after: Mapping[int, Head],
    entries: Sequence[Entry],
) -> Iterator[Change]:
    """What inserts entries and moves heads from `before` to `after`, or else is ForkRefused."""
    yield from _inserts(vendor, entries)
    for tenant in sorted(after):
        head, seq = after[tenant], before[tenant].seq
        yield Change(
            "UPDATE audit_head SET seq=%s, hash=%s, ts_us=%s WHERE tenant=%s AND seq=%s",
            (head.seq, head.hash, head.ts_us, tenant, seq),
            1,
            ForkRefused(f"the head of tenant {tenant} is not at {seq}"),
        )


def _inserts(vendor: str, entries: Sequence[Entry]) -> Iterator[Change]:
    rows = [(entry.tenant, entry.seq, entry.hash, entry.body) for entry in entries]
    if not rows:
        return
    statement = "INSERT INTO audit_entry (tenant, seq, hash, body) VALUES "
    if vendor == "postgresql":
        # One value to quote instead of thousands; a body is JSON already, so it is text.
        said = [
            {"t": tenant, "s": seq, "h": hash.hex(), "b": body.decode()}
            for tenant, seq, hash, body in rows
        ]
        yield Change(FROM_JSON, (orjson.dumps(said).decode(),))
    else:
        for at in range(0, len(rows), BLOCK):
            block = rows[at : at + BLOCK]
            marks = ", ".join(["(%s, %s, %s, %s)"] * len(block))
            yield Change(statement + marks, [value for row in block for value in row])


def open_log(cursor: Any, vendor: str, tenant: int, origin: str, now_us: int) -> None:
    """Begin a tenant's chain; if it has begun, do nothing."""
    head, entry = genesis(tenant, origin, os.urandom(32), now_us)
    cursor.execute(
        "INSERT INTO audit_head (tenant, seq, hash, ts_us) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (tenant) DO NOTHING",
        (tenant, head.seq, head.hash, head.ts_us),
    )
    if cursor.rowcount == 1:
        write(cursor, vendor, {}, {}, [entry])


def append(cursor: Any, vendor: str, drafts: Sequence[Draft], now_us: int) -> list[Entry]:
    """Append in the caller's transaction, after everything else that it locks."""
    before = lock_heads(cursor, vendor, {draft.tenant for draft in drafts})
    after, entries = dict(before), []
    for draft in drafts:
        after[draft.tenant], made = extend(after[draft.tenant], [draft], now_us)
        entries += made
    write(cursor, vendor, before, after, entries)
    return entries


def verify(
    connection: Any,
    tenant: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check every chain, or one tenant's, in bounded memory, against its head too."""
    counts: dict[int, int] = {}
    bad: list[Bad] = []
    with connection.cursor() as cursor:
        for each in [tenant] if tenant is not None else _tenants(cursor):
            checker = Checker(each)
            fault = _walk(cursor, checker, progress) or _check_head(cursor, checker)
            counts[each] = checker.count
            if fault is not None:
                bad.append(fault)
    return Report(counts, bad)


def _tenants(cursor: Any) -> list[int]:
    cursor.execute("SELECT tenant FROM audit_head UNION SELECT tenant FROM audit_entry ORDER BY 1")
    return [row[0] for row in cursor.fetchall()]


def _walk(cursor: Any, checker: Checker, progress: Callable[[int], None] | None) -> Bad | None:
    for page in _pages(cursor, checker.tenant):
        fault = checker.feed(page)
        if fault is not None:
            return fault
        if progress is not None:
            progress(checker.count)
    return None


def _pages(cursor: Any, tenant: int) -> Iterator[list[tuple[int, bytes, bytes]]]:
    last = -(2**62)
    while True:
        cursor.execute(
            "SELECT seq, hash, body FROM audit_entry WHERE tenant=%s AND seq>%s "
            "ORDER BY seq LIMIT %s",
            (tenant, last, PAGE_ROWS),
        )
        page = [(row[0], bytes(row[1]), bytes(row[2])) for row in cursor.fetchall()]
        if not page:
            return
        yield page
        last = page[-1][0]


def _check_head(cursor: Any, checker: Checker) -> Bad | None:
    cursor.execute("SELECT seq, hash FROM audit_head WHERE tenant=%s", (checker.tenant,))
    row = cursor.fetchone()
    if row is None:
        return Bad(checker.tenant, 0, "the chain has no head")
    if row[0] != checker.count - 1:
        return Bad(checker.tenant, checker.count, f"the head is at {row[0]}")
    if bytes(row[1]) != checker.hash:
        return Bad(checker.tenant, row[0], "the head has another hash")
    return None


def missing_triggers(connection: Any, names: Mapping[str, Sequence[str]] = TRIGGERS) -> list[str]:
    """Of these triggers, the append-only ones of the chain by default, those that are not there."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type='trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        there = {row[0] for row in cursor.fetchall()}
    return [name for name in names[connection.vendor] if name not in there]
