"""The ledger's clock for pages, reports and tasks: the database's time, shifted only in tests."""

from __future__ import annotations

from django.db import connection

from . import books


def now_us() -> int:
    """Microseconds since the epoch, UTC."""
    with connection.cursor() as cursor:
        return books.now_us(cursor)
