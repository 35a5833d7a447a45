"""Tables as one JSON object, written row by row: {"rows": [...], "total": {...}}."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from budgets.money import decimal_text
from budgets.reports import Report

from . import table
from .table import Cell, Column, Kind

PIECE_ROWS = 500


def spend(report: Report) -> Iterator[bytes]:
    """What was asked, every group, and the total, which equals the ledger's."""
    ask = report.ask
    asked = {"since": ask.since, "until": ask.until, "by": list(ask.by), "clock": ask.clock}
    yield orjson.dumps(asked)[:-1] + b',"rows":['
    own = table.columns(ask.by)
    found, comma = table.rows(report), b""
    while some := list(islice(found, PIECE_ROWS)):
        yield comma + b",".join(orjson.dumps(shown(own, row)) for row in some)
        comma = b","
    total = shown(list(table.NUMBERS), table.numbers(report.total))
    yield b'],"total":' + orjson.dumps(total) + b"}"


def shown(own: list[Column], row: list[Cell] | list[int]) -> dict[str, Any]:
    return {
        column.name: decimal_text(int(value)) if column.kind is Kind.MONEY else value
        for column, value in zip(own, row, strict=True)
    }
