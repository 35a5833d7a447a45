"""Tables as a workbook: the groups, and a summary that says what they are and what they come to.

Rows go to disk as they come, so memory stays small. A text is written as a text, whatever it looks
like. A spreadsheet's numbers have 15 digits: whole numbers beyond 2^53 are written as texts, and
the column of dollars is for reading; `_nanos` is the exact one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlsxwriter

from audit.models import Head
from budgets.money import NANOS_PER_DOLLAR, decimal_text
from budgets.periods import iso
from budgets.reports import Ask, Report

from ..clock import now_us
from . import table
from .table import Cell, Column, Kind

PIECE_BYTES = 65_536
EXACT_MAX = 2**53
HEADS_MAX = 1_000
WIDTHS = {Kind.TEXT: 24, Kind.WHOLE: 18, Kind.MONEY: 16}
FORMATS = {Kind.WHOLE: "#,##0", Kind.MONEY: "#,##0.00#######"}
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def spend(report: Report) -> Iterator[bytes]:
    """The workbook in pieces; nothing is known of it before the last row, so the first is empty."""
    yield b""
    with tempfile.TemporaryDirectory(prefix="tollgate-report-") as folder:
        path = Path(folder) / "report.xlsx"
        with xlsxwriter.Workbook(str(path), {**OPTIONS, "tmpdir": folder}) as book:
            _write(book, report)
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece


def _write(book: Any, report: Report) -> None:
    looks = {kind: book.add_format({"num_format": text}) for kind, text in FORMATS.items()}
    head = book.add_format({"bold": True, "bottom": 1})
    _summary(book.add_worksheet("Summary"), report, head, looks)
    sheet = book.add_worksheet("Spend")
    own = table.columns(report.ask.by)
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(own):
        sheet.set_column(at, at, WIDTHS[column.kind])
    for at, column in enumerate(own):
        sheet.write_string(0, at, column.name, head)
    for number, row in enumerate(table.rows(report), start=1):
        _row(sheet, number, own, row, looks)
    sheet.autofilter(0, 0, report.groups, len(own) - 1)


def _row(sheet: Any, number: int, own: list[Column], row: list[Cell], looks: Any) -> None:
    for at, (column, value) in enumerate(zip(own, row, strict=True)):
        if column.kind is Kind.TEXT:
            sheet.write_string(number, at, str(value))
        else:
            _number(sheet, number, at, column.kind, int(value), looks)


def _number(sheet: Any, row: int, at: int, kind: Kind, value: int, looks: Any) -> None:
    if abs(value) > EXACT_MAX:
        shown = decimal_text(value) if kind is Kind.MONEY else str(value)
        sheet.write_string(row, at, shown)
        return
    sheet.write_number(
        row, at, value / NANOS_PER_DOLLAR if kind is Kind.MONEY else value, looks[kind]
    )


def _summary(sheet: Any, report: Report, head: Any, looks: Any) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 72)
    lines = list(facts(report.ask, report.groups))
    for at, (name, text) in enumerate(lines):
        sheet.write_string(at, 0, name, head)
        sheet.write_string(at, 1, text)
    own = list(table.NUMBERS)
    for number, (column, value) in enumerate(
        zip(own, table.numbers(report.total), strict=True), start=len(lines) + 1
    ):
        sheet.write_string(number, 0, f"total {column.name}", head)
        _number(sheet, number, 1, column.kind, value, looks)
    start = len(lines) + len(own) + 2
    sheet.write_string(start, 0, "Audit chain", head)
    sheet.write_string(start, 1, "tenant, last entry, its hash", head)
    for at, (name, text) in enumerate(heads(report.ask), start=start + 1):
        sheet.write_string(at, 0, name)
        sheet.write_string(at, 1, text)


def facts(ask: Ask, groups: int) -> Iterator[tuple[str, str]]:
    """What the report is about, in words."""
    yield "Period", f"{ask.since} up to, not including, {ask.until}"
    clock = "UTC" if ask.clock == "utc" else "each tenant's own time zone"
    yield "Clock", f"Days and months of {clock}"
    yield "Cut by", ", ".join(ask.by) or "nothing: one total"
    for name in ("key_id", "user", "provider", "model"):
        wanted = getattr(ask, name)
        if wanted is not None:
            yield f"Only {name}", str(wanted)
    if ask.tag is not None:
        yield "Only tag", f"{ask.tag[0]}={ask.tag[1]}"
    yield "Rows", str(groups)
    yield "Made at", iso(now_us())
    yield "Exact money", "Columns that end in _nanos, in whole nano-dollars (10^-9 US dollars)"


def heads(ask: Ask) -> Iterator[tuple[str, str]]:
    """Where the chain of each tenant ends in this view, to hold the report against it."""
    rows = Head.objects.exclude(tenant=0).order_by("tenant")
    if ask.tenants is not None:
        rows = rows.filter(tenant__in=sorted(ask.tenants)[:HEADS_MAX])
    for head in rows[:HEADS_MAX]:
        yield f"tenant {head.tenant}", f"{head.seq} {bytes(head.hash).hex()}"
