"""The chain checked against itself, and the ledger's postings against the chain."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from django.db import connection

from audit import log
from audit.chain import Bad
from audit.models import Entry
from budgets import store
from budgets.operations import Posting

from . import records

PAGE_ROWS = 1_000


def verify(tenant: int | None = None) -> log.Report:
    """Every entry by its hashes, then every posting by the digest that its entry holds."""
    report = log.verify(connection, tenant)
    bad = list(report.bad)
    broken = {each.tenant for each in bad}
    for each in report.entries:
        if each not in broken:
            bad += _first(_mismatches(each))
    return log.Report(report.entries, bad)


def _first(found: Iterator[Bad]) -> list[Bad]:
    first = next(found, None)
    return [] if first is None else [first]


def _mismatches(tenant: int) -> Iterator[Bad]:
    last = -1
    while page := _page(tenant, last):
        digests = _digests(tenant, [seq for seq, _ in page])
        for seq, posting in page:
            if digests.get(seq) != records.digest(posting):
                yield Bad(tenant, seq, f"the posting of attempt {posting.hold.attempt} differs")
        last = page[-1][0]


def _page(tenant: int, last: int) -> list[tuple[int, Posting]]:
    with connection.cursor() as cursor:
        return store.postings_after(cursor, tenant, last, PAGE_ROWS)


def _digests(tenant: int, seqs: list[int]) -> dict[int, str | None]:
    rows = Entry.objects.filter(tenant=tenant, seq__in=seqs).values_list("seq", "body")
    return {seq: orjson.loads(bytes(body)).get("ledger_digest") for seq, body in rows}
