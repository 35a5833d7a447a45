"""Postings for tests of reports, written as the books write them: each with its audit entry."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
from django.db import connection, transaction

from audit import chain
from audit import log as audit_log
from audit.models import Entry
from budgets import periods, store
from budgets.models import ApiKey, Tenant
from budgets.operations import Hold, Outcome, Posting, Tokens
from gateway_project import records
from gateway_project.models import Price
from gateway_project.sessions import OnCursor
from providers import pricing
from providers.types import Usage

BATCH = 1_000
DAY_US = 86_400_000_000
RATES: dict[str, dict[str, Any]] = {
    "plain": {"input_mtok": "2.5", "cache_read_mtok": "1.25", "output_mtok": "10.001"},
    "tiered": {
        "input_mtok": {"base": "1.25", "tiers": [[2000, "2.5"]]},
        "cache_read_mtok": "0.31",
        "cache_write_mtok": "1.5625",
        "cache_write_1h_mtok": "2.5",
        "output_mtok": {"base": "10", "tiers": [[2000, "15"]]},
    },
    "asked": {"input_mtok": "0.0375", "output_mtok": "0.15", "requests_kcount": "5.0000001"},
}
TAGS = ("", "team=search", "env=prod,team=ads", "env=dev", "team=search,unit=a-b")
USERS = ("", "ann", "bob", "=cmd|' /C calc'!A0")


def at(text: str) -> int:
    """Microseconds of an instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def prices() -> list[Price]:
    return [
        Price.objects.create(
            provider="simulator", model=name, match={}, rates=rates,
            valid_from=datetime(2020, 1, 1, tzinfo=UTC), source="test", source_version="1",
        )
        for name, rates in RATES.items()
    ]  # fmt: skip


@dataclass
class Ground:
    """Whose postings, at which prices."""

    tenants: Sequence[Tenant]
    keys: Sequence[ApiKey]
    prices: Sequence[Price]
    random: random.Random

    def hold(self, opened_us: int) -> Hold:
        key = self.random.choice(self.keys)
        price = self.random.choice(self.prices)
        return Hold(
            attempt=uuid.UUID(int=self.random.getrandbits(128)).hex,
            call="c", call_no=0, tenant_id=key.tenant_id, key_id=key.id,
            amount_nanos=self.random.randrange(1, 10**9), window_ids=(),
            provider=price.provider, model=price.model, price_id=price.id, owner=0,
            day_utc=periods.utc_day(opened_us),
            day_local=periods.local_day(key.tenant.zone, opened_us),
            opened_us=opened_us, deadline_us=0,
            user=self.random.choice(USERS), tags=self.random.choice(TAGS),
        )  # fmt: skip

    def usage(self) -> Usage:
        fresh, read, write, long, output = (self.random.randrange(0, 1500) for _ in range(5))
        written = write + long
        return Usage(fresh + read + written, output, read, written, long, output // 3)

    def bill(self, opened_us: int) -> list[Posting]:
        """An attempt that went as most do, or was counted, refused, lost, or lost and found."""
        hold = self.hold(opened_us)
        [price] = [each for each in self.prices if each.id == hold.price_id]
        usage = self.usage()
        if "cache_read_mtok" not in price.rates:
            usage = Usage(usage.input_tokens, usage.output_tokens)
        cost = pricing.cost(
            usage, pricing.Price.from_row(price.id, "p", "m", price.rates, None, None)
        )
        tokens = Tokens(
            usage.input_tokens, usage.output_tokens, usage.cache_read_tokens,
            usage.cache_write_tokens, usage.reasoning_tokens,
        )  # fmt: skip
        good = Posting(hold, 0, "provider_usage", "ok", tokens, cost, 0, 0, opened_us + 10**6)
        lost = Posting(
            hold, 0, "upper_bound", "expired", Tokens(), hold.amount_nanos, 0,
            hold.amount_nanos, opened_us + 10**6,
        )  # fmt: skip
        match self.random.randrange(12):
            case 0:
                return [lost]
            case 1:
                return [lost, found(lost, tokens, cost, opened_us + 2 * 10**6)]
            case 2:
                return [lost, found(lost, tokens, cost, opened_us + 40 * DAY_US)]
            case 3:
                return [replace(good, basis="counted")]
            case 4:
                return [
                    replace(good, basis="none", outcome="refused", debit_nanos=0, tokens=Tokens())
                ]
        return [good]


def found(lost: Posting, tokens: Tokens, cost: int, posted_us: int) -> Posting:
    change = cost - lost.debit_nanos
    return replace(
        lost, no=1, basis="provider_usage", outcome="ok", tokens=tokens,
        debit_nanos=max(change, 0), credit_nanos=max(-change, 0), posted_us=posted_us,
    )  # fmt: skip


def ground(seed: int, *tenants: Tenant) -> Ground:
    keys = [
        ApiKey.objects.create(
            tenant=tenant, name=f"key {number}", prefix=f"tg_{tenant.id}{number}",
            digest=uuid.uuid4().bytes * 2,
        )
        for tenant in tenants
        for number in range(2)
    ]  # fmt: skip
    return Ground(tenants, keys, prices(), random.Random(seed))


def post(postings: Iterable[Posting], now_us: int = 0) -> int:
    """Append to ledger and chain as `books` does, in batches; returns the net nano-dollars."""
    rest, net = iter(postings), 0
    while some := list(islice(rest, BATCH)):
        _batch(some, now_us)
        net += sum(each.debit_nanos - each.credit_nanos for each in some)
    return net


def _batch(postings: list[Posting], now_us: int) -> None:
    vendor = connection.vendor
    ids = {each.hold.tenant_id for each in postings}
    with transaction.atomic(), connection.cursor() as cursor:
        before = audit_log.lock_heads(cursor, vendor, ids)
        after, entries, seqs = dict(before), [], {}
        for place, each in enumerate(postings):
            tenant = each.hold.tenant_id
            after[tenant], [entry] = chain.extend(after[tenant], [records.of_posting(each)], now_us)
            entries.append(entry)
            seqs[place] = entry.seq
        audit_log.write(cursor, vendor, before, after, entries)
        OnCursor(cursor).tell(store.changes(vendor, Outcome(postings=postings), seqs))


def of_chain() -> int:
    """Net nano-dollars by what the audit entries themselves say."""
    rows = Entry.objects.exclude(tenant=0).values_list("body", flat=True)
    bodies = (orjson.loads(bytes(body)) for body in rows.iterator())
    return sum(
        int(each["debit_nanos"]) - int(each["credit_nanos"])
        for each in bodies
        if "debit_nanos" in each
    )
