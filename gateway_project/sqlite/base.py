"""The backend: `ENGINE = "gateway_project.sqlite"`. Transactions and lone writes pass the gate."""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Any

from django.db.backends.sqlite3 import base, features
from django.db.utils import OperationalError

from .gate import Gate, GateTimeout

READS = ("SELECT", "PRAGMA", "EXPLAIN")


class DatabaseFeatures(features.DatabaseFeatures):
    # A write that returns rows commits when its last row is read, which may be after the gate shut.
    can_return_columns_from_insert = False
    can_return_rows_from_bulk_insert = False


class GatedCursor(base.SQLiteCursorWrapper):
    """A cursor whose writes outside a transaction take the gate for themselves."""

    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        with self.wrapper.passing(query):
            return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        with self.wrapper.passing(query):
            return super().executemany(query, param_list)


class Passing:
    """The gate around one statement; nothing where a transaction or a read needs none."""

    __slots__ = ("_gate",)

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        if self._gate is not None:
            _open(self._gate)

    def __exit__(self, *_: object) -> None:
        if self._gate is not None:
            self._gate.close()


class Writing:
    """A transaction behind the gate: committed as its body ends, rolled back if that raises."""

    __slots__ = ("_cursor", "_database", "_gate")

    def __init__(self, database: DatabaseWrapper, gate: Gate) -> None:
        self._database, self._gate = database, gate

    def __enter__(self) -> sqlite3.Cursor:
        self._database.ensure_connection()
        with self._database.wrap_database_errors:
            _open(self._gate)
            try:
                cursor: sqlite3.Cursor = self._database.connection.cursor()
                cursor.execute("BEGIN IMMEDIATE")
            except BaseException:
                self._gate.close()
                raise
        self._cursor = cursor
        return cursor

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with self._database.wrap_database_errors:
                self._end(is_well=kind is None)
        finally:
            self._gate.close()
        self._database.wrap_database_errors.__exit__(kind, error, traceback)

    def _end(self, *, is_well: bool) -> None:
        if is_well:
            try:
                self._cursor.execute("COMMIT")  # the driver's own method would parse it each time
                return
            except BaseException:
                self._database.connection.rollback()
                raise
        self._database.connection.rollback()


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gate = Gate(f"{self.settings_dict['NAME']}.gate")

    def passing(self, query: str) -> Passing:
        """The gate for `query`, if it writes and no transaction has opened the gate already."""
        reads = query.lstrip()[:7].upper().startswith(READS)
        return Passing(None if reads or self._gate.is_open else self._gate)

    def writing(self) -> Writing:
        """A transaction behind the gate with nothing of Django's in it, for who writes all day."""
        return Writing(self, self._gate)

    def create_cursor(self, name: str | None = None) -> GatedCursor:
        cursor: GatedCursor = self.connection.cursor(factory=GatedCursor)
        cursor.wrapper = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        _open(self._gate)
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
        except BaseException:
            self._gate.close()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # not in the stubs
        self._gate.close()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # not in the stubs
        finally:
            self._gate.close()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # not in the stubs
        finally:
            self._gate.drop()


def _open(gate: Gate) -> None:
    try:
        gate.open()
    except GateTimeout as error:
        raise OperationalError(f"database is locked: {error}") from error
