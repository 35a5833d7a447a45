"""A transaction of the books: ask what was locked, then tell what changes; on either database.

What is asked together costs PostgreSQL one round trip, and what is told another, which ends in the
COMMIT. SQLite has none to save, and gets its statements one by one, from the driver's own cursor:
Django's costs more than a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from psycopg import errors, pq

from . import pipelined
from .sqlite.base import DatabaseWrapper

Query = tuple[str, Sequence[Any]]
Rows = Sequence[Sequence[Any]]
UNENDED = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)
BEGIN: Query = ("BEGIN", ())
COMMIT: Query = ("COMMIT", ())


class Change(Protocol):
    """A statement that writes; where it touches other than `rows` rows, `refusal` is raised."""

    @property
    def text(self) -> str: ...
    @property
    def values(self) -> Sequence[Any]: ...
    @property
    def rows(self) -> int | None: ...
    @property
    def refusal(self) -> Exception | None: ...


class Session(Protocol):
    """Inside a transaction. Every error rolls it back as it leaves; what is told ends it."""

    def ask(self, *queries: Query | None) -> list[Rows]:
        """The rows of each query, in its place; of none, none."""
        ...

    def tell(self, changes: Iterable[Change]) -> None:
        """The last word; raises the refusal of a change, and then nothing has changed."""
        ...


class OnCursor:
    """A session on a DB-API cursor that reads `%s`, one statement after the other."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def ask(self, *queries: Query | None) -> list[Rows]:
        return [self._rows(query) if query else () for query in queries]

    def _rows(self, query: Query) -> Rows:
        self._cursor.execute(*query)
        rows: Rows = self._cursor.fetchall()
        return rows

    def tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._cursor.execute(change.text, change.values)
            _check(change, self._cursor.rowcount)


class OnSqlite(OnCursor):
    """The same on `sqlite3`'s cursor, whose mark for a value is `?`."""

    def _rows(self, query: Query) -> Rows:
        rows: Rows = self._cursor.execute(_with_question_marks(query[0]), query[1]).fetchall()
        return rows

    def tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._cursor.execute(_with_question_marks(change.text), change.values)
            _check(change, self._cursor.rowcount)


class OnPipeline:
    """A session on a PostgreSQL connection.

    BEGIN leaves with what is asked first, and COMMIT with what is told: a change that must touch
    some number of rows is made to fail there where it touches another, and nothing after it runs.
    """

    def __init__(self, pipeline: pipelined.Pipeline) -> None:
        self._pipeline = pipeline
        self._unsent: list[Query] = [BEGIN]

    def ask(self, *queries: Query | None) -> list[Rows]:
        try:
            results = iter(self._run([query for query in queries if query]))
        except pipelined.Failed as failed:
            raise failed.error from None
        return [next(results).rows if query else () for query in queries]

    def tell(self, changes: Iterable[Change]) -> None:
        told = list(changes)
        try:
            self._run([*map(_checked, told), COMMIT])
        except pipelined.Failed as failed:
            change = told[failed.at] if failed.at < len(told) else None
            is_ours = isinstance(failed.error, errors.DivisionByZero)
            if change is None or change.rows is None or not is_ours:
                raise failed.error from None
            raise _refusal(change) from failed.error

    def _run(self, statements: list[Query]) -> list[pipelined.Result]:
        first, self._unsent = self._unsent, []
        try:
            return self._pipeline.run(first + statements)[len(first) :]
        except pipelined.Failed as failed:
            failed.at -= len(first)
            raise


def _checked(change: Change) -> Query:
    """The change, failing by a division by zero if it touches other than the rows it must."""
    if change.rows is None:
        return change.text, change.values
    text = (
        f"WITH told AS ({change.text} RETURNING 1) "
        "SELECT 1 / (count(*) = %s::bigint)::int FROM told"
    )
    return text, (*change.values, change.rows)


def _check(change: Change, count: int) -> None:
    if change.rows is not None and count != change.rows:
        raise _refusal(change)


def _refusal(change: Change) -> Exception:
    return change.refusal or LookupError(f"other than {change.rows} rows would have been touched")


@contextmanager
def opened() -> Iterator[Session]:
    """A transaction on this thread's connection, without Django's own where none is around it."""
    own = connections[DEFAULT_DB_ALIAS]  # `connection` stands for it, at the price of a look-up
    if own.in_atomic_block:
        with transaction.atomic(), own.cursor() as cursor:
            yield OnCursor(cursor)
    elif own.vendor == "sqlite":
        with cast(DatabaseWrapper, own).writing() as cursor:
            yield OnSqlite(cursor)
    else:
        own.ensure_connection()
        with own.wrap_database_errors, pipelining(own.connection) as session:
            yield session


@contextmanager
def pipelining(connection: psycopg.Connection[Any]) -> Iterator[OnPipeline]:
    """A transaction that ends when its session has told what changes, or else is rolled back."""
    try:
        yield OnPipeline(pipelined.of(connection))
    finally:
        if connection.pgconn.transaction_status in UNENDED:
            connection.rollback()


@lru_cache(maxsize=256)
def _with_question_marks(statement: str) -> str:
    return statement.replace("%s", "?")
