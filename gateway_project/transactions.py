"""A transaction of the books: ask what was locked, tell what changes, commit; on either database.

What is asked and told together costs PostgreSQL one round trip. SQLite has none to save, and gets
its statements one by one, from the driver's own cursor: Django's costs more than a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from . import pipelined
from .sqlite.base import DatabaseWrapper

Query = tuple[str, Sequence[Any]]
Rows = Sequence[Sequence[Any]]


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
    """Inside a transaction. Every error rolls it back as it leaves."""

    def ask(self, *queries: Query | None) -> list[Rows]:
        """The rows of each query, in its place; of none, none."""
        ...

    def tell(self, changes: Iterable[Change]) -> None: ...


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
    """A session on a PostgreSQL connection; BEGIN leaves with what is asked first."""

    def __init__(self, pipeline: pipelined.Pipeline) -> None:
        self._pipeline = pipeline
        self._unsent: list[Query] = [("BEGIN", ())]

    def ask(self, *queries: Query | None) -> list[Rows]:
        results = iter(self._run([query for query in queries if query]))
        return [next(results).rows if query else () for query in queries]

    def tell(self, changes: Iterable[Change]) -> None:
        told = list(changes)
        results = self._run([(change.text, change.values) for change in told])
        for change, result in zip(told, results, strict=True):
            _check(change, result.count)

    def _run(self, statements: list[Query]) -> list[pipelined.Result]:
        first, self._unsent = self._unsent, []
        return self._pipeline.run(first + statements)[len(first) :]

    def commit(self) -> None:
        self._run([("COMMIT", ())])


def _check(change: Change, count: int) -> None:
    if change.rows is not None and count != change.rows:
        raise change.refusal or LookupError(f"{count} rows were touched, not {change.rows}")


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
    session = OnPipeline(pipelined.of(connection))
    try:
        yield session
        session.commit()
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise


@lru_cache(maxsize=256)
def _with_question_marks(statement: str) -> str:
    return statement.replace("%s", "?")
