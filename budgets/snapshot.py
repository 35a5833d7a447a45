"""Reading at one point in time: what a report adds up must not move while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def snapshot() -> Iterator[None]:
    """One frozen view for all reads inside; writers go on. Write nothing inside.

    On SQLite a transaction of Django's would wait for the one write lock, so that a long report
    would stop every call; a plain BEGIN reads beside the writer.
    """
    if connection.in_atomic_block:  # its own view is frozen already, or is meant to move
        yield
        return
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.connection.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        connection.connection.execute("ROLLBACK")
