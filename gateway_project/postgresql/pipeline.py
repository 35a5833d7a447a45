"""Many statements on a PostgreSQL connection for one wait: libpq's pipeline mode, prepared once.

A statement through the driver's cursor costs this process 70 us and a round trip, and a batch of
the books is ten of them; here they leave together, come back together, and cost a seventh. Nothing
waits inside libpq, which would keep the interpreter's lock meanwhile: `select.poll` does.
"""

from __future__ import annotations

import itertools
import select
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGresult

STATEMENTS_MAX = 200
SILENCE_MILLISECONDS_MAX = 90_000  # the server ends a statement after 60 s
DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
UNKNOWN_STATEMENT = "26000"
Statement = tuple[str, Sequence[Any]]
"""`%s` stands in the text for each value, and no other per cent sign does."""
PLANS: Sequence[Statement] = (
    ("SET plan_cache_mode = force_generic_plan", ()),
    ("SET enable_seqscan = off", ()),
)
"""Every statement here finds its rows by a key. The server would plan each anew each time, as for
one value that looks cheaper, and would read a table from end to end while it is still small."""


@dataclass(slots=True)
class Result:
    """Rows that came back, and how many were touched."""

    rows: Sequence[tuple[Any, ...]]
    count: int


class Failed(Exception):
    """The statement at this place failed; after it none ran."""

    def __init__(self, at: int, error: psycopg.Error) -> None:
        super().__init__(f"statement {at}: {error}")
        self.at, self.error = at, error


class Pipeline:
    """Runs statements on a connection; between two runs the driver may use it as ever."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._link = connection.pgconn
        self._encoding = connection.info.encoding
        self._transformer = Transformer(connection)
        self._names: dict[str, bytes] = {}
        self._poll = select.poll()
        self._poll.register(self._link.socket, select.POLLIN)

    def run(self, statements: Sequence[Statement]) -> list[Result]:
        """Send all, then wait; raises Failed for the first that failed.

        Where that was inside a transaction, the transaction is to be rolled back.
        """
        dump, text = self._transformer.dump_sequence, PyFormat.TEXT
        sent = [dump(values, [text] * len(values)) for _, values in statements]
        self._link.enter_pipeline_mode()
        try:
            made = [
                self._send(statement[0], values)
                for statement, values in zip(statements, sent, strict=True)
            ]
            self._link.pipeline_sync()
            results = [self._result(text) for text in made]
            self._next()  # the sync's own
            self._link.exit_pipeline_mode()
        except BaseException:
            self._link.finish()  # answers may be under way: who read on would take them for his
            raise
        for at, result in enumerate(results):
            if result.status not in DONE:
                raise Failed(at, self._error(result))
        return [self._read(result) for result in results]

    def _send(self, text: str, values: Sequence[Any]) -> str | None:
        """Returns the text if it had to be prepared."""
        name = self._names.get(text)
        made = None
        if name is None:
            if len(self._names) >= STATEMENTS_MAX:
                raise psycopg.InternalError("too many different statements on one connection")
            name = self._names[text] = b"tollgate_%d" % next(_numbers)
            self._link.send_prepare(name, _numbered(text))
            made = text
        self._link.send_query_prepared(name, values)
        return made

    def _result(self, made: str | None) -> PGresult:
        """A statement's result; one that could not be prepared has that for its result."""
        if made is not None:
            prepared = self._next()
            if prepared.status not in DONE:
                del self._names[made]
                self._next()
                return prepared
        return self._next()

    def _next(self) -> PGresult:
        """What comes next; between two statements libpq says None once."""
        for _ in range(2):
            while self._link.is_busy():
                self._wait()
            result = self._link.get_result()
            if result is not None:
                return result
        raise psycopg.OperationalError("the connection was lost")

    def _wait(self) -> None:
        unsent = self._link.flush()
        if unsent:
            self._poll.modify(self._link.socket, select.POLLIN | select.POLLOUT)
        if not self._poll.poll(SILENCE_MILLISECONDS_MAX):
            raise psycopg.OperationalError("the database has said nothing for too long")
        if unsent:
            self._poll.modify(self._link.socket, select.POLLIN)
        self._link.consume_input()

    def _error(self, result: PGresult) -> psycopg.Error:
        error = errors.error_from_result(result, encoding=self._encoding)
        if error.sqlstate == UNKNOWN_STATEMENT:  # a pooler in between has changed the session
            self._names.clear()
            return psycopg.OperationalError(str(error))
        return error

    def _read(self, result: PGresult) -> Result:
        if not result.nfields:
            return Result((), result.command_tuples or 0)
        self._transformer.set_pgresult(result)
        rows = self._transformer.load_rows(0, result.ntuples, tuple)
        return Result(rows, len(rows))


_numbers = itertools.count()
"""Of this process, so that no two pipelines on one connection ever make the same name."""


def _numbered(text: str) -> bytes:
    """The text as the server reads it: `$1`, `$2` and so on for each `%s`."""
    first, *others = text.encode().split(b"%s")
    return first + b"".join([b"$%d%s" % each for each in enumerate(others, 1)])


class _Latest(threading.local):
    """A thread has one connection at a time; a pipeline keeps its own alive, so just the last."""

    pipeline: Pipeline | None = None


_latest = _Latest()


def of(connection: psycopg.Connection[Any]) -> Pipeline:
    """The pipeline of this thread's connection, which knows what it has prepared.

    Of a new connection, its settings are made first, which may raise Failed.
    """
    known = _latest.pipeline
    if known is None or known.connection is not connection:
        known = Pipeline(connection)
        known.run(PLANS)
        _latest.pipeline = known
    return known
