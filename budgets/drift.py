"""Do the books agree? Windows against postings and holds, rollups against postings.

Reads in one transaction, so that a busy ledger gives no false alarm, and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import F, Sum

from .models import DailySpend, Hold, Posting, RollupMark, Window
from .snapshot import snapshot

DIFFERENCES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


def find() -> list[Difference]:
    """Every disagreement, at most DIFFERENCES_MAX; an empty list is the good news."""
    with snapshot():
        return [*_windows(), *_rollups()][:DIFFERENCES_MAX]


def _windows() -> list[Difference]:
    spent: Counter[int] = Counter()
    held: Counter[int] = Counter()
    rows = Posting.objects.values_list("windows", "debit_nanos", "credit_nanos")
    for windows, debit, credit in rows.iterator(chunk_size=5_000):
        for window_id in _numbers(windows):
            spent[window_id] += debit - credit
    for windows, amount in Hold.objects.values_list("windows", "amount_nanos").iterator():
        for window_id in _numbers(windows):
            held[window_id] += amount
    found = []
    for window in Window.objects.iterator():
        for name, expected, actual in (
            ("spent", spent[window.id], window.spent_nanos),
            ("held", held[window.id], window.held_nanos),
        ):
            if expected != actual:
                found.append(Difference(f"window {window.id} {name}", expected, actual))
    return found


def _rollups() -> list[Difference]:
    found = []
    for mark in RollupMark.objects.all():
        postings = Posting.objects.filter(tenant_id=mark.tenant_id, seq__lte=mark.seq)
        expected = _net(postings.aggregate(net=Sum(F("debit_nanos") - F("credit_nanos"))))
        rows = DailySpend.objects.filter(tenant_id=mark.tenant_id)
        actual = _net(rows.aggregate(net=Sum(F("debit_nanos") - F("credit_nanos"))))
        if expected != actual:
            found.append(Difference(f"rollup of tenant {mark.tenant_id}", expected, actual))
    return found


def _net(row: dict[str, int | None]) -> int:
    return int(row["net"] or 0)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")] if text else []
