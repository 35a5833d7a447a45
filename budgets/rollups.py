"""Postings added up by day, once each, however often it runs: the mark moves in the transaction.

The mark follows the audit chain's seq, which has no gaps and no late arrivals below it; ids and
times have both.
"""

from __future__ import annotations

from collections import defaultdict

from django.db import connection, transaction

from .models import DailySpend, Posting, RollupMark, Tenant

POSTINGS_MAX = 5_000
DIMENSIONS = ("day_utc", "day_local", "key_id", "provider", "model", "end_user", "tags")
MEASURES = (
    "attempts",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "debit_nanos",
    "credit_nanos",
)
Key = tuple[str, str, int, str, str, str, str]


def roll_up() -> int:
    """Add every tenant's new postings, at most POSTINGS_MAX per transaction; returns how many."""
    total = 0
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        while added := _add(tenant_id):
            total += added
    return total


def _add(tenant_id: int) -> int:
    with transaction.atomic():
        RollupMark.objects.get_or_create(tenant_id=tenant_id)
        mark = RollupMark.objects.select_for_update().get(tenant_id=tenant_id)
        postings = list(
            Posting.objects.filter(tenant_id=tenant_id, seq__gt=mark.seq).order_by("seq")[
                :POSTINGS_MAX
            ]
        )
        if not postings:
            return 0
        _write(tenant_id, sums(postings))
        mark.seq = postings[-1].seq
        mark.save(update_fields=["seq"])
    return len(postings)


def sums(postings: list[Posting]) -> dict[Key, list[int]]:
    """The MEASURES of these postings added up by their DIMENSIONS."""
    found: dict[Key, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for posting in postings:
        row = found[key_of(posting)]
        for at, value in enumerate(measures_of(posting)):
            row[at] += value
    return found


def key_of(posting: Posting) -> Key:
    return (
        posting.day_utc,
        posting.day_local,
        posting.key_id,
        posting.provider,
        posting.model,
        posting.end_user,
        posting.tags,
    )


def measures_of(posting: Posting) -> tuple[int, ...]:
    """The provisional bill of a lost attempt has no tokens; its correction brings them."""
    return (
        int(posting.no == 0),
        posting.input_tokens,
        posting.output_tokens,
        posting.cache_read_tokens,
        posting.cache_write_tokens,
        posting.reasoning_tokens,
        posting.debit_nanos,
        posting.credit_nanos,
    )


def _write(tenant_id: int, found: dict[Key, list[int]]) -> None:
    table = DailySpend._meta.db_table
    columns = ("tenant_id", *DIMENSIONS, *MEASURES)
    sets = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) "
            f"ON CONFLICT (tenant_id, {', '.join(DIMENSIONS)}) DO UPDATE SET {sets}",
            [(tenant_id, *key, *values) for key, values in sorted(found.items())],
        )
