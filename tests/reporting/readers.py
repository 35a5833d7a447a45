"""What each way of asking says the total is, in nano-dollars, and read as a stranger would."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal, localcontext
from typing import Any

import openpyxl
from django.db import connection
from django.test import Client

from budgets.models import DailySpend, Posting
from tests import people

NANOS = 10**9


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows_of_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def of_csv(data: bytes) -> int:
    rows = rows_of_csv(data)
    assert sum(int(Decimal(row["cost"]) * NANOS) for row in rows) == sum(
        int(row["cost_nanos"]) for row in rows
    )
    return sum(int(row["cost_nanos"]) for row in rows)


def of_xlsx(data: bytes) -> tuple[int, int]:
    """(sum of the rows, total of the summary)."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    rows = book["Spend"].iter_rows(values_only=True)
    at = list(next(rows)).index("cost_nanos")
    added = sum(int(str(row[at])) for row in rows)
    summary = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True) if row}
    return added, int(str(summary["total cost_nanos"]))


def of_focus(data: bytes) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return sum((Decimal(row["BilledCost"]) for row in rows_of_csv(data)), Decimal(0)) * NANOS


def of_page(html: str) -> int:
    total = html.split('id="total"')[1]
    text = re.findall(r'<strong><span title="(-?)\$([0-9.]+)">', total)[0]
    return int(Decimal("".join(text)) * NANOS)


def of_ledger() -> int:
    return _net(Posting._meta.db_table)


def of_rollups() -> int:
    return _net(DailySpend._meta.db_table)


def _net(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(SUM(debit_nanos - credit_nanos), 0) FROM {table}")
        return int(cursor.fetchone()[0])


def get(path: str, script: people.Script, **parameters: Any) -> Any:
    return Client().get(path, parameters, headers=script.headers)
