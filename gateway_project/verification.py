"""The chain checked against itself, and the ledger's postings against the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson
from django.db import connection

from audit import log
from audit.chain import Bad
from audit.models import Entry
from budgets import store
from budgets.operations import Posting

from . import records

PAGE_ROWS = 1_000
Progress = Callable[[int], None]


def verify(tenant: int | None = None, progress: Progress | None = None) -> log.Report:
    """Every entry by its hashes, then every posting by the digest that its entry holds.

    `progress` is told after each page how many entries of its chain, and then how many postings,
    are checked; what it raises ends the check.
    """
    report = log.verify(connection, tenant, progress)
    bad = list(report.bad)
    broken = {each.tenant for each in bad}
    for each in report.entries:
        if each not in broken:
            bad += _first(_mismatches(each, progress))
    return log.Report(report.entries, bad)


def _first(found: Iterator[Bad]) -> list[Bad]:
    first = next(found, None)
    return [] if first is None else [first]


def _mismatches(tenant: int, progress: Progress | None) -> Iterator[Bad]:
    last, count = -1, 0
    while page := _page(tenant, last):
        digests = _digests(tenant, [seq for seq, _ in page])
        for seq, posting in page:
            if digests.get(seq) != records.digest(posting):
                yield Bad(tenant, seq, f"the posting of attempt {posting.hold.attempt} differs")
        last, count = page[-1][0], count + len(page)
        if progress is not None:
            progress(count)


def _page(tenant: int, last: int) -> list[tuple[int, Posting]]:
    with connection.cursor() as cursor:
        return store.postings_after(cursor, tenant, last, PAGE_ROWS)


def _digests(tenant: int, seqs: list[int]) -> dict[int, str | None]:
    rows = Entry.objects.filter(tenant=tenant, seq__in=seqs).values_list("seq", "body")
    return {seq: orjson.loads(bytes(body)).get("ledger_digest") for seq, body in rows}
