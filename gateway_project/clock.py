"""The ledger's clock for pages, reports and tasks: the database's time, shifted only in tests."""

from __future__ import annotations

from django.db import connection

from . import writer


def now_us() -> int:
    """Microseconds since the epoch, UTC."""
    with connection.cursor() as cursor:
        return writer.now_us(cursor)
