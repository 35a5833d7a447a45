"""Tables as CSV (RFC 4180) that a spreadsheet opens as what it is: texts quoted, numbers bare.

A text that a spreadsheet would run as a formula gets an apostrophe before it, also where only
separators or quotes stand before the sign. Numbers are ours and stay numbers, negative ones too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from budgets.money import decimal_text
from budgets.reports import Report

from . import table
from .table import Cell, Column, Kind

FORMULA = re.compile(r"[\s\"';,|]*[=+\-@＝＋－＠]|[\t\r\n]")
PIECE_LINES = 500


def spend(report: Report) -> Iterator[bytes]:
    """A report's groups; an empty one has its header alone."""
    own = table.columns(report.ask.by)
    yield (line(text(column.name) for column in own)).encode()
    yield from joined(_lines(report, own))


def _lines(report: Report, own: list[Column]) -> Iterator[str]:
    for row in table.rows(report):
        yield line(_cell(column, value) for column, value in zip(own, row, strict=True))


def _cell(column: Column, value: Cell) -> str:
    match column.kind:
        case Kind.MONEY:
            return decimal_text(int(value))
        case Kind.WHOLE:
            return str(value)
    return text(str(value))


def line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\r\n"


def text(value: str) -> str:
    return '"' + safe(value).replace('"', '""') + '"'


def safe(value: str) -> str:
    """With an apostrophe before it, if a spreadsheet would take it for a formula."""
    return f"'{value}" if FORMULA.match(value) else value


def joined(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines as pieces of some size, so that not every line is sent alone."""
    waiting: list[str] = []
    for each in lines:
        waiting.append(each)
        if len(waiting) == PIECE_LINES:
            yield "".join(waiting).encode()
            waiting = []
    if waiting:
        yield "".join(waiting).encode()
