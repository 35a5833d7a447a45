"""Inside a transaction of the books: ask what was locked, then tell what changes; on a cursor.

SQLite has no round trip to save, and gets its statements one by one, from the driver's own cursor:
Django's costs more than a statement. `postgresql/session.py` is the one that sends many at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

Mark = tuple[Any, ...]
"""Two that are equal say that nobody else has written between them."""
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
    """Inside a transaction. Every error rolls it back as it leaves; what is told ends it."""

    def mark(self) -> Mark | None:
        """How far the database has been written; None where that is not to be known cheaply."""
        ...

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

    def mark(self) -> Mark | None:
        return None

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
    """The same on `sqlite3`'s cursor, where a `?` stands for a value."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        super().__init__(cursor)
        self._others: int | None = None

    def mark(self) -> Mark:
        """What others have committed, which stands still in a transaction, and what we wrote."""
        if self._others is None:
            [self._others] = self._cursor.execute("PRAGMA data_version").fetchone()
        connection = self._cursor.connection
        return connection, self._others, connection.total_changes

    def _rows(self, query: Query) -> Rows:
        rows: Rows = self._cursor.execute(_with_question_marks(query[0]), query[1]).fetchall()
        return rows

    def tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._cursor.execute(_with_question_marks(change.text), change.values)
            _check(change, self._cursor.rowcount)


def _check(change: Change, count: int) -> None:
    if change.rows is not None and count != change.rows:
        raise refusal_of(change)


def refusal_of(change: Change) -> Exception:
    return change.refusal or LookupError(f"other than {change.rows} rows would have been touched")


@lru_cache(maxsize=256)
def _with_question_marks(statement: str) -> str:
    return statement.replace("%s", "?")
