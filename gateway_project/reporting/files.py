"""Which files there are of a report, and how each is made: from the question to its pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from budgets import reports
from budgets.reports import Ask, Report

from . import csv_file, focus_file, json_file, xlsx_file
from .pieces import Pieces

CSV_TYPE = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class File:
    content_type: str
    write: Callable[[Report], Iterator[bytes]]


FILES = {
    "json": File("application/json", json_file.spend),
    "csv": File(CSV_TYPE, csv_file.spend),
    "xlsx": File(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_file.spend
    ),
}


def spend(ask: Ask, kind: str) -> Pieces:
    """A report as a file of this kind, piece by piece; raises BadAsk before the first piece."""
    with reports.report(ask) as report:
        yield from FILES[kind].write(report)


def focus(since: date, until: date, tenants: frozenset[int] | None) -> Pieces:
    """The FOCUS file, piece by piece."""
    yield from focus_file.usage(since, until, tenants)


def name(kind: str, since: date, until: date, suffix: str) -> str:
    """Such as `spend-2026-11-01-2026-12-01.csv`; the second day is not in it."""
    return f"{kind}-{since}-{until}.{suffix}"
