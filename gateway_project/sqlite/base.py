"""The backend: `ENGINE = "gateway_project.sqlite"`. Transactions and lone writes pass the gate."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
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


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gate = Gate(f"{self.settings_dict['NAME']}.gate")

    def passing(self, query: str) -> Passing:
        """The gate for `query`, if it writes and no transaction has opened the gate already."""
        reads = query.lstrip()[:7].upper().startswith(READS)
        return Passing(None if reads or self._gate.is_open else self._gate)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """A transaction behind the gate with nothing of Django's in it, for who writes all day."""
        self.ensure_connection()
        with self.wrap_database_errors:
            _open(self._gate)
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self.connection.cursor()
                    self.connection.commit()
                except BaseException:
                    self.connection.rollback()
                    raise
            finally:
                self._gate.close()

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
