"""The queue in front of the one writer of ledger and audit together.

`Books` is a thread that owns a database connection, drains what waits into a batch, and answers
every caller after the commit. Operations that were submitted together stay together and in order.

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from django.db import InterfaceError, OperationalError, connection, transaction

from audit import chain
from audit import log as audit_log
from budgets.operations import Answer, Operation, Reserve

from .writer import Writer, now_us

logger = logging.getLogger(__name__)

BATCH_MAX = 256
QUEUE_MAX = 20_000
RESERVE_WAIT_SECONDS = 5.0
RETRY_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5)
PAUSE_SECONDS_EACH = 0.0004
PAUSE_SECONDS_MAX = 0.010


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


class Books:
    """The writer thread: started by the first submission, stopped by `close`."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Submission | None] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._writer = Writer()

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
        if submission.may_fail and (self._closing or self._waiting.qsize() >= QUEUE_MAX):
            raise LedgerUnavailable("the ledger's queue is full")
        self._waiting.put(submission)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="books", daemon=True)
                self._thread.start()

    def close(self, seconds_max: float = 10.0) -> None:
        """Write what is queued, then stop the thread."""
        self._closing = True
        self._waiting.put(None)  # wakes it, if it waits
        if self._thread is not None:
            self._thread.join(seconds_max)

    def _run(self) -> None:
        try:
            for batch in self._batches():
                self._write(batch)
        finally:
            connection.close()

    def _batches(self) -> Iterator[list[Submission]]:
        """What waits, batch by batch; a batch begins the later after the last, the fuller that was.

        Where many call at once, a commit is shared by more of them; who calls alone never waits.
        """
        started, pause = 0.0, 0.0
        while not self._closing or not self._waiting.empty():
            first = self._waiting.get()
            early = started + pause - time.monotonic()
            if early > 0:
                time.sleep(early)
            started = time.monotonic()
            batch = [each for each in (first, *self._at_hand()) if each is not None]
            pause = min(max(len(batch) - 1, 0) * PAUSE_SECONDS_EACH, PAUSE_SECONDS_MAX)
            if batch:
                yield batch

    def _at_hand(self) -> Iterator[Submission | None]:
        """What waits, without waiting for more."""
        try:
            for _ in range(BATCH_MAX - 1):
                yield self._waiting.get_nowait()
        except Empty:
            return

    def _write(self, batch: list[Submission], *, is_again: bool = False) -> None:
        tries = 0
        while batch:
            try:
                self._answer(batch, self._transact(batch, is_again=is_again or tries > 0))
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
                self._write(batch[:half], is_again=True)
                batch, is_again = batch[half:], True

    def _transact(self, batch: Sequence[Submission], *, is_again: bool) -> list[Answer]:
        operations = [operation for submission in batch for operation in submission.operations]
        drafts = [draft for submission in batch for draft in submission.drafts]
        return self._writer.transact(operations, drafts, is_again=is_again)

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
