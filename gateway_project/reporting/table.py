"""A report as a table: named columns, and rows of texts and whole numbers.

Money has two columns: dollars as exact decimal text, and whole nano-dollars to add up by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from budgets.models import ApiKey, Tenant
from budgets.reports import MEASURES, Report, Row, Sums

ROWS_AT_ONCE = 500
TOKENS = MEASURES[:6]


class Kind(StrEnum):
    TEXT = "text"
    WHOLE = "whole"
    MONEY = "money"  # nano-dollars, shown as dollars


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind = Kind.TEXT


Cell = str | int
NUMBERS = (
    *(Column(name, Kind.WHOLE) for name in TOKENS),
    Column("debit", Kind.MONEY),
    Column("credit", Kind.MONEY),
    Column("cost", Kind.MONEY),
    Column("debit_nanos", Kind.WHOLE),
    Column("credit_nanos", Kind.WHOLE),
    Column("cost_nanos", Kind.WHOLE),
)


def columns(by: Sequence[str]) -> list[Column]:
    """The columns of a report that is cut by these: what names a group, then its numbers."""
    found: list[Column] = []
    for cut in by:
        match cut:
            case "tenant":
                found += [Column("tenant"), Column("tenant_name")]
            case "key":
                found += [Column("key", Kind.WHOLE), Column("key_prefix"), Column("key_name")]
            case _:
                found.append(Column(cut))
    return [*found, *NUMBERS]


def numbers(sums: Sums) -> list[int]:
    money = [sums.debit_nanos, sums.credit_nanos, sums.net_nanos]
    return [*sums.values()[: len(TOKENS)], *money, *money]


def rows(report: Report) -> Iterator[list[Cell]]:
    """Every group with the names of its tenant and key, looked up a few hundred at a time."""
    groups = report.rows
    while some := list(islice(groups, ROWS_AT_ONCE)):
        for row, names in zip(some, named(report.ask.by, some), strict=True):
            yield [*names, *numbers(row.sums)]


def named(by: Sequence[str], some: Sequence[Row]) -> Iterator[list[Cell]]:
    """The texts that stand for each group's key, in the order of `columns`."""
    tenants = _tenants(_ids(by, "tenant", some))
    keys = _keys(_ids(by, "key", some))
    for row in some:
        found: list[Cell] = []
        for cut, part in zip(by, row.key, strict=True):
            if cut == "tenant":
                found += tenants.get(part, (str(part), ""))
            elif cut == "key":
                found += (part, *keys.get(part, ("", "")))
            else:
                found.append(part)
        yield found


def _ids(by: Sequence[str], cut: str, some: Iterable[Row]) -> set[int]:
    if cut not in by:
        return set()
    at = by.index(cut)
    return {int(row.key[at]) for row in some}


def _tenants(ids: set[int]) -> dict[Cell, tuple[str, str]]:
    found = Tenant.objects.filter(id__in=ids).values_list("id", "external_id", "name")
    return {number: (external_id, name) for number, external_id, name in found}


def _keys(ids: set[int]) -> dict[Cell, tuple[str, str]]:
    found = ApiKey.objects.filter(id__in=ids).values_list("id", "prefix", "name")
    return {number: (prefix, name) for number, prefix, name in found}
