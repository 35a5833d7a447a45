"""The one writer of ledger and audit together: lock, decide, write, commit.

`transact(operations)` runs one batch in one transaction. `Books` is the queue in front of it: a
thread that owns a database connection, drains what waits into a batch, and answers every caller
after the commit. Operations that were submitted together stay together and in order.

| what goes wrong | what happens |
|---|---|
| connection lost, COMMIT unanswered | the same batch again; every operation is idempotent by id |
| a data error | the batch is halved until the culprit stands alone; only it gets the error |
| the database stays away | a Reserve is refused after a bound; a Settle stays queued |
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from audit import chain
from audit import log as audit_log
from budgets import store
from budgets.ledger import decide
from budgets.operations import Answer, Operation, Outcome, Reserve, WindowKey

from . import records

logger = logging.getLogger(__name__)

BATCH_MAX = 256
QUEUE_MAX = 20_000
RESERVE_WAIT_SECONDS = 5.0
RETRY_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5)
WINDOW_IDS_MAX = 200_000
RELOCKS_MAX = 5
PAUSE_SECONDS = 0.002


class LedgerUnavailable(Exception):
    """The books cannot be written now; nothing was dispatched and nothing is owed."""


@dataclass(slots=True)
class Submission:
    """Operations that go into one transaction together, and who waits for their answers."""

    operations: Sequence[Operation]
    drafts: Sequence[chain.Draft] = ()
    waiter: asyncio.Future[list[Answer]] | None = None
    since: float = field(default_factory=time.monotonic)

    @property
    def may_fail(self) -> bool:
        """A refused hold costs nothing; a settlement must never be lost."""
        return bool(self.operations) and all(isinstance(op, Reserve) for op in self.operations)


Answered = tuple["asyncio.Future[list[Answer]]", "list[Answer] | LedgerUnavailable"]
_window_ids: OrderedDict[WindowKey, int] = OrderedDict()


def now_us(cursor: Any) -> int:
    """The database's clock, which decides about windows; tests shift it by a setting."""
    return (
        audit_log.database_now_us(cursor, connection.vendor)
        + settings.CLOCK_SHIFT_SECONDS * 1_000_000
    )


def transact(operations: Sequence[Operation], drafts: Sequence[chain.Draft] = ()) -> list[Answer]:
    """Run one batch in one transaction on this thread's connection; returns answers in order."""
    with connection.cursor() as cursor:
        ids = _open(cursor, operations)
        window_ids = set(ids.values()) | store.windows_of(cursor, operations)
    for _ in range(RELOCKS_MAX):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                return _batch(cursor, operations, drafts, ids, window_ids)
        except store.WindowsMissing as missing:
            window_ids |= missing.window_ids
    raise OperationalError("the windows of a hold kept changing")


def _open(cursor: Any, operations: Sequence[Operation]) -> dict[WindowKey, int]:
    reserves = [op for op in operations if isinstance(op, Reserve)]
    wanted = {key for op in reserves for key in op.windows}
    unknown = {key for key in wanted if key not in _window_ids}
    if unknown:
        _window_ids.update(store.open_windows(cursor, connection.vendor, unknown))
    known = {key: _window_ids[key] for key in wanted}
    while len(_window_ids) > WINDOW_IDS_MAX:
        _window_ids.popitem(last=False)
    unrated = {op.key_id for op in reserves if op.rate is not None} - _rated
    if unrated:
        store.open_rates(cursor, unrated)
        _rated.update(unrated)
    return known


_rated: set[int] = set()


def _batch(
    cursor: Any,
    operations: Sequence[Operation],
    drafts: Sequence[chain.Draft],
    ids: dict[WindowKey, int],
    window_ids: set[int],
) -> list[Answer]:
    vendor = connection.vendor
    rated = {op.key_id for op in operations if isinstance(op, Reserve) and op.rate is not None}
    state = store.lock(cursor, vendor, window_ids, rated)
    state.windows = {key: state.windows_by_id[number] for key, number in ids.items()}
    tenants = store.tenants_of(cursor, operations) | {draft.tenant for draft in drafts}
    heads = audit_log.lock_heads(cursor, vendor, tenants)
    store.read(cursor, state, operations)
    state.directory_version = _directory_version(cursor)
    now = now_us(cursor)
    outcome = decide(state, operations, now)
    seqs = _extend(cursor, heads, outcome, drafts, now)
    store.write(cursor, vendor, outcome, seqs)
    return outcome.answers


def _directory_version(cursor: Any) -> int:
    cursor.execute("SELECT version FROM gateway_directory WHERE id=1")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


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
        audit_log.write(
            cursor, connection.vendor, before, {t: after[t] for t in by_tenant}, entries
        )
    return seqs


class Books:
    """The writer thread: started by the first submission, stopped by `close`."""

    def __init__(self) -> None:
        self._waiting: deque[Submission] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    async def submit(self, *operations: Operation) -> list[Answer]:
        """Queue operations for one transaction and wait for their answers after its commit.

        Raises LedgerUnavailable, for holds only. A caller that is cancelled while it waits does
        not take its operations back.
        """
        waiter: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self.put(Submission(operations, waiter=waiter))
        return await waiter

    def put(self, submission: Submission) -> None:
        """Queue operations whose answers nobody waits for, unless there is a waiter."""
        with self._wake:
            if submission.may_fail and (self._closing or len(self._waiting) >= QUEUE_MAX):
                raise LedgerUnavailable("the ledger's queue is full")
            self._waiting.append(submission)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="books", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self, seconds_max: float = 10.0) -> None:
        """Write what is queued, then stop the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join(seconds_max)

    def _run(self) -> None:
        try:
            for batch in self._batches():
                self._write(batch)
        finally:
            connection.close()

    def _batches(self) -> Iterator[list[Submission]]:
        started = 0.0
        while True:
            with self._wake:
                while not self._waiting:
                    if self._closing:
                        return
                    self._wake.wait()
            early = started + PAUSE_SECONDS - time.monotonic()
            if early > 0:
                time.sleep(early)
            started = time.monotonic()
            with self._wake:
                size = min(len(self._waiting), BATCH_MAX)
                batch = [self._waiting.popleft() for _ in range(size)]
            yield batch

    def _write(self, batch: list[Submission]) -> None:
        tries = 0
        while batch:
            try:
                self._answer(batch, _run_batch(batch))
                return
            except (OperationalError, InterfaceError) as error:
                connection.close()
                batch = self._give_up_on_late_reserves(batch, error)
                time.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
            except Exception as error:
                if len(batch) == 1:
                    self._refuse(batch[0], error)
                    return
                half = len(batch) // 2
                self._write(batch[:half])
                batch = batch[half:]

    def _answer(self, batch: list[Submission], answers: list[Answer]) -> None:
        """Wake each loop once, with all that its callers wait for."""
        at = 0
        by_loop: dict[asyncio.AbstractEventLoop, list[Answered]] = {}
        for submission in batch:
            end = at + len(submission.operations)
            if submission.waiter is not None:
                found = by_loop.setdefault(submission.waiter.get_loop(), [])
                found.append((submission.waiter, answers[at:end]))
            at = end
        for loop, answered in by_loop.items():
            _tell(loop, answered)

    def _give_up_on_late_reserves(
        self, batch: list[Submission], error: Exception
    ) -> list[Submission]:
        logger.warning("ledger not reachable: %s", type(error).__name__)
        now = time.monotonic()
        kept = []
        for submission in batch:
            late = self._closing or now - submission.since > RESERVE_WAIT_SECONDS
            if submission.may_fail and late:
                self._refuse(submission, error)
            else:
                kept.append(submission)
        return kept

    def _refuse(self, submission: Submission, error: Exception) -> None:
        logger.error("the ledger refused an operation", exc_info=error)
        if submission.waiter is not None:
            refused = LedgerUnavailable(type(error).__name__)
            _tell(submission.waiter.get_loop(), [(submission.waiter, refused)])


def _run_batch(batch: Sequence[Submission]) -> list[Answer]:
    operations = [operation for submission in batch for operation in submission.operations]
    drafts = [draft for submission in batch for draft in submission.drafts]
    return transact(operations, drafts)


def _tell(loop: asyncio.AbstractEventLoop, answered: list[Answered]) -> None:
    try:
        loop.call_soon_threadsafe(_resolve, answered)
    except RuntimeError:
        logger.warning("a loop ended before %d answers of the ledger came", len(answered))


def _resolve(answered: list[Answered]) -> None:
    """In the loop of those who wait; who was cancelled waits no more."""
    for waiter, answer in answered:
        if waiter.done():
            continue
        if isinstance(answer, Exception):
            waiter.set_exception(answer)
        else:
            waiter.set_result(answer)


@contextmanager
def change(*drafts: chain.Draft) -> Iterator[int]:
    """A change by an admin: yields the directory's new version; audited in its transaction.

    Rows written inside must carry the version, so that every gateway reads just what is new.
    """
    from .models import Directory

    with transaction.atomic(), connection.cursor() as cursor:
        directory = Directory.objects.select_for_update().get_or_create(id=1)[0]
        directory.version += 1
        directory.save(update_fields=["version"])
        yield directory.version
        if drafts:
            audit_log.append(cursor, connection.vendor, list(drafts), now_us(cursor))
