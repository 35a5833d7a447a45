"""One batch of the books in one transaction: lock, decide, write, commit.

A writer belongs to one thread. It remembers what it has committed itself (ids of windows, rates
that have a row, holds that are open), so that the usual batch reads only what it locks, and not
even that where the database says that nobody else has written (`memory.py`). What it remembers is
checked where it counts: a hold that another process has closed is missed by the DELETE, under the
locks, and then everything is read anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from audit import chain
from audit import log as audit_log
from budgets import store
from budgets.ledger import decide
from budgets.operations import Answer, Hold, Operation, Outcome, Reserve, State, WindowKey

from . import records, transactions
from .memory import Memory
from .sessions import Change, Mark, OnCursor, Query, Rows, Session

WINDOW_IDS_MAX = 200_000
HOLDS_MAX = 100_000
RATED_MAX = 1_000_000
TRIES_MAX = 5
VENDOR: str = connection.vendor
VERSION = "SELECT version FROM gateway_directory WHERE id=1"
VERSION_AND_NOW: Query = (
    (f"SELECT ({VERSION}), {audit_log.NOW_US}", ()) if VENDOR == "postgresql" else (VERSION, ())
)


def now_us(cursor: Any) -> int:
    """The database's clock, which decides about windows."""
    return _shifted(audit_log.database_now_us(cursor, VENDOR))


class Writer:
    """Runs batches on the database connection of the thread that calls it."""

    def __init__(self) -> None:
        self._window_ids: dict[WindowKey, int] = {}
        self._rated: set[int] = set()
        self._holds: dict[str, Hold] = {}
        self.memory = Memory()

    @cached_property
    def own(self) -> BaseDatabaseWrapper:
        """The connection of the thread that writes."""
        return transactions.mine()

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
                self.memory.forget()
            except store.HoldsMoved:
                reads_all = True
                self.memory.forget()
            except BaseException:
                self._holds.clear()
                self.memory.forget()
                raise
            else:
                self._remember(batch)
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

    def _remember(self, batch: _Batch) -> None:
        outcome = batch.outcome
        self.memory.keep(batch.mark, batch.state, batch.heads)
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
        self.state = State()
        self.heads: dict[int, chain.Head] = {}
        self.mark: Mark | None = None
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
                [rows] = OnCursor(cursor).ask(store.windows_of(VENDOR, self._unknown))
            wanted.update(*[store.numbers(row[0]) for row in rows])
        with transactions.opened(self._writer.own) as session:
            return self._inside(session, ids, wanted)

    def _inside(
        self, session: Session, ids: dict[WindowKey, int], wanted: set[int]
    ) -> list[Answer]:
        tenants = {hold.tenant_id for hold in self._holds.values()}
        tenants.update(draft.tenant for draft in self._drafts)
        memory = self._writer.memory
        memory.look(session.mark())
        known = None if self._unknown else memory.recall(wanted, self._rated, tenants)
        if known is None:
            state, heads, now = self._read(session, wanted, tenants)
        else:
            (state, heads), now = known, _shifted(time.time_ns() // 1000)
        state.holds.update(self._holds)
        state.windows = {key: state.windows_by_id[number] for key, number in ids.items()}
        self.outcome = decide(state, self._operations, now)
        seqs, self.heads, grown = _extend(heads, self.outcome, self._drafts, now)
        session.tell([*grown, *store.changes(VENDOR, self.outcome, seqs)])
        self.state, self.mark = state, session.mark()
        return self.outcome.answers

    def _read(
        self, session: Session, wanted: set[int], tenants: set[int]
    ) -> tuple[State, dict[int, chain.Head], int]:
        """Lock, then read: what is decided on, and the time it is decided at."""
        locks = store.locks(VENDOR, wanted, self._rated)
        attempts: Sequence[Rows] = ((), ())
        if self._unknown:  # whose chains will grow is to be known before their heads are locked
            owners = store.tenants_of(VENDOR, self._unknown)
            windows, rates, *owned = session.ask(*locks, *owners)
            tenants.update(row[0] for rows in owned for row in rows)
            query = audit_log.heads_query(VENDOR, tenants)
            reads = store.attempts(VENDOR, self._unknown)
            headed, *attempts, clock = session.ask(query, *reads, VERSION_AND_NOW)
        else:
            query = audit_log.heads_query(VENDOR, tenants)
            windows, rates, headed, clock = session.ask(*locks, query, VERSION_AND_NOW)
        state = store.locked(windows, rates)
        store.read(state, *attempts)
        state.directory_version, now = _version_and_now(clock)
        return state, audit_log.heads_in(headed, tenants), now


def _version_and_now(rows: Rows) -> tuple[int, int]:
    """The directory's version, and the clock that decides about windows, read under the locks."""
    version = rows[0][0] if rows else None
    now = rows[0][1] if VENDOR == "postgresql" else time.time_ns() // 1000
    return version or 0, _shifted(now)


def _shifted(now: int) -> int:
    """Tests shift the clock by a setting."""
    shift: int = settings.CLOCK_SHIFT_SECONDS
    return now + shift * 1_000_000


def _extend(
    heads: dict[int, chain.Head], outcome: Outcome, drafts: Sequence[chain.Draft], now: int
) -> tuple[dict[int, int], dict[int, chain.Head], Iterable[Change]]:
    """Chain one entry per posting, then the drafts.

    Returns each posting's seq by its place, the heads after, and what writes the entries.
    """
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
    before = {tenant: heads[tenant] for tenant in by_tenant}
    moved = {tenant: after[tenant] for tenant in by_tenant}
    return seqs, after, audit_log.changes(VENDOR, before, moved, entries)
