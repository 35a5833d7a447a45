"""A transaction of the books, on either database, with a session to ask and to tell in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .sessions import OnCursor, OnSqlite, Session
from .sqlite.base import DatabaseWrapper


def mine() -> BaseDatabaseWrapper:
    """This thread's connection, which stays the same object; each look-up takes several more."""
    return connections[DEFAULT_DB_ALIAS]


@contextmanager
def opened(own: BaseDatabaseWrapper) -> Iterator[Session]:
    """A transaction on this thread's connection, without Django's own where none is around it."""
    if own.in_atomic_block:
        with transaction.atomic(), own.cursor() as cursor:
            yield OnCursor(cursor)
    elif own.vendor == "sqlite":
        with cast(DatabaseWrapper, own).writing() as cursor:
            yield OnSqlite(cursor)
    else:
        from .postgresql.session import transaction as on_pipeline  # loads its driver

        own.ensure_connection()
        with own.wrap_database_errors, on_pipeline(own.connection) as session:
            yield session
