"""One batch of the books in one transaction: lock, decide, write, commit.

A writer belongs to one thread. It remembers what it has committed itself (ids of windows, rates
that have a row, holds that are open), so that the usual batch reads only what it locks. What it
remembers is checked where it counts: a hold that another process has closed is missed by the
DELETE, under the locks, and then everything is read anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction

from audit import chain
from audit import log as audit_log
from budgets import store
from budgets.ledger import decide
from budgets.operations import Answer, Hold, Operation, Outcome, Reserve, WindowKey

from . import records
from .sqlite.base import DatabaseWrapper

WINDOW_IDS_MAX = 200_000
HOLDS_MAX = 100_000
RATED_MAX = 1_000_000
TRIES_MAX = 5
VENDOR: str = connection.vendor


def now_us(cursor: Any) -> int:
    """The database's clock, which decides about windows; tests shift it by a setting."""
    return audit_log.database_now_us(cursor, VENDOR) + settings.CLOCK_SHIFT_SECONDS * 1_000_000


class Writer:
    """Runs batches on the database connection of the thread that calls it."""

    def __init__(self) -> None:
        self._window_ids: dict[WindowKey, int] = {}
        self._rated: set[int] = set()
        self._holds: dict[str, Hold] = {}

    def transact(
        self, operations: Sequence[Operation], drafts: Sequence[chain.Draft], *, is_again: bool
    ) -> list[Answer]:
        """Run one batch in one transaction; returns answers in order.

        `is_again` says that the batch may have been committed already: then nothing is taken as
        new, and ids make every operation harmless the second time.
        """
        reads_all = is_again
        window_ids: set[int] = set()
        for _ in range(TRIES_MAX):
            batch = _Batch(self, operations, drafts, reads_all=reads_all)
            try:
                answers = batch.run(window_ids)
            except store.WindowsMissing as missing:
                window_ids |= missing.window_ids
            except store.HoldsMoved:
                reads_all = True
            except BaseException:
                self._holds.clear()
                raise
            else:
                self._remember(batch.outcome)
                return answers
        raise OperationalError("the windows of a hold kept changing")

    def ids_of(self, keys: set[WindowKey]) -> dict[WindowKey, int]:
        """The windows' rows, opened first where this writer does not know them."""
        unknown = [key for key in keys if key not in self._window_ids]
        if unknown:
            if len(self._window_ids) > WINDOW_IDS_MAX:
                self._window_ids.clear()
                unknown = list(keys)
            with connection.cursor() as cursor:
                self._window_ids.update(store.open_windows(cursor, VENDOR, unknown))
        return {key: self._window_ids[key] for key in keys}

    def open_rates(self, key_ids: set[int]) -> None:
        unrated = key_ids - self._rated
        if unrated:
            if len(self._rated) > RATED_MAX:
                self._rated.clear()
            with connection.cursor() as cursor:
                store.open_rates(cursor, unrated)
            self._rated |= unrated

    def hold(self, attempt: str) -> Hold | None:
        """An open hold that this writer has made."""
        return self._holds.get(attempt)

    def _remember(self, outcome: Outcome) -> None:
        for attempt in outcome.holds_gone:
            self._holds.pop(attempt, None)
        if len(self._holds) > HOLDS_MAX:
            self._holds.clear()
        self._holds |= outcome.holds_made


class _Batch:
    """What one transaction needs: which rows to lock, what is known, and what comes out."""

    def __init__(
        self,
        writer: Writer,
        operations: Sequence[Operation],
        drafts: Sequence[chain.Draft],
        *,
        reads_all: bool,
    ) -> None:
        self._writer, self._operations, self._drafts = writer, operations, drafts
        self._holds: dict[str, Hold] = {}
        self._unknown: list[str] = []
        self._keys: set[WindowKey] = set()
        self._rated: set[int] = set()
        self.outcome = Outcome()
        windows: tuple[WindowKey, ...] = ()
        for operation in operations:
            if isinstance(operation, Reserve):
                if operation.windows is not windows:  # calls of one caller share theirs
                    windows = operation.windows
                    self._keys.update(windows)
                if operation.rate is not None:
                    self._rated.add(operation.key_id)
                if reads_all:
                    self._unknown.append(operation.attempt)
                continue
            hold = None if reads_all else writer.hold(operation.attempt)
            if hold is None:
                self._unknown.append(operation.attempt)
            else:
                self._holds[operation.attempt] = hold

    def run(self, window_ids: set[int]) -> list[Answer]:
        ids = self._writer.ids_of(self._keys)
        self._writer.open_rates(self._rated)
        wanted = window_ids | set(ids.values())
        wanted.update(*{hold.window_ids for hold in self._holds.values()})
        if self._unknown:
            with connection.cursor() as cursor:
                wanted |= store.windows_of(cursor, VENDOR, self._unknown)
        with _transaction() as cursor:
            return self._inside(cursor, ids, wanted)

    def _inside(self, cursor: Any, ids: dict[WindowKey, int], wanted: set[int]) -> list[Answer]:
        state = store.lock(cursor, VENDOR, wanted, self._rated)
        state.windows = {key: state.windows_by_id[number] for key, number in ids.items()}
        heads = audit_log.lock_heads(cursor, VENDOR, self._tenants(cursor))
        state.holds.update(self._holds)
        store.read(cursor, VENDOR, state, self._unknown)
        state.directory_version, now = _version_and_now(cursor)
        self.outcome = decide(state, self._operations, now)
        seqs = _extend(cursor, heads, self.outcome, self._drafts, now)
        store.write(cursor, VENDOR, self.outcome, seqs)
        return self.outcome.answers

    def _tenants(self, cursor: Any) -> set[int]:
        """Whose chain grows."""
        tenants = {hold.tenant_id for hold in self._holds.values()}
        tenants.update(draft.tenant for draft in self._drafts)
        return tenants | store.tenants_of(cursor, VENDOR, self._unknown)


def _version_and_now(cursor: Any) -> tuple[int, int]:
    """The directory's version, and the clock that decides about windows, in one question."""
    if VENDOR == "postgresql":
        version = "SELECT version FROM gateway_directory WHERE id=1"
        cursor.execute(f"SELECT ({version}), {audit_log.NOW_US}")
        known, now = cursor.fetchone()
        return known or 0, now + settings.CLOCK_SHIFT_SECONDS * 1_000_000
    cursor.execute("SELECT version FROM gateway_directory WHERE id=1")
    row = cursor.fetchone()
    return (row[0] if row else 0), now_us(cursor)


def _extend(
    cursor: Any,
    heads: dict[int, chain.Head],
    outcome: Outcome,
    drafts: Sequence[chain.Draft],
    now: int,
) -> dict[int, int]:
    """Chain one entry per posting, then the drafts; returns each posting's seq by its place."""
    seqs: dict[int, int] = {}
    after = dict(heads)
    entries: list[chain.Entry] = []
    by_tenant: dict[int, list[tuple[int | None, chain.Draft]]] = {}
    for at, posting in enumerate(outcome.postings):
        by_tenant.setdefault(posting.hold.tenant_id, []).append((at, records.of_posting(posting)))
    for draft in drafts:
        by_tenant.setdefault(draft.tenant, []).append((None, draft))
    for tenant, pairs in sorted(by_tenant.items()):
        after[tenant], made = chain.extend(heads[tenant], [draft for _, draft in pairs], now)
        seqs.update(
            (at, entry.seq) for (at, _), entry in zip(pairs, made, strict=True) if at is not None
        )
        entries.extend(made)
    if entries:
        before = {tenant: heads[tenant] for tenant in by_tenant}
        audit_log.write(cursor, VENDOR, before, {t: after[t] for t in by_tenant}, entries)
    return seqs


@contextmanager
def _transaction() -> Iterator[Any]:
    """A transaction with the driver's own cursor: Django's wrapper costs more than a statement."""
    own = connections[DEFAULT_DB_ALIAS]  # `connection` stands for it, at the price of a look-up
    if VENDOR == "sqlite" and not own.in_atomic_block:
        with cast(DatabaseWrapper, own).writing() as cursor:
            yield _SqliteCursor(cursor)
        return
    with own.wrap_database_errors, transaction.atomic():
        cursor = own.connection.cursor()
        yield cursor if VENDOR == "postgresql" else _SqliteCursor(cursor)


class _SqliteCursor:
    """`sqlite3`'s cursor, for statements that are written with `%s`. The gate is open already."""

    __slots__ = ("_cursor", "fetchall", "fetchone")

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.fetchall, self.fetchone = cursor.fetchall, cursor.fetchone

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._cursor.execute(_with_question_marks(statement), values)

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._cursor.executemany(_with_question_marks(statement), rows)


@lru_cache(maxsize=256)
def _with_question_marks(statement: str) -> str:
    return statement.replace("%s", "?")
