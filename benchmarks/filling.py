"""A database as it is after months of work: tenants, keys, budgets, postings, chains, request log.

Rows are written in bulk, yet through the rooms' own functions where money and chain are concerned,
so that `ledger check` and `audit verify` hold afterwards.
It runs inside `manage.py shell`, in the environment of a gateway whose database is migrated.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from audit import chain
from audit import log as audit_log
from budgets import periods, store
from budgets.models import ApiKey, Budget, Tenant
from budgets.operations import Hold, Outcome, Posting, Tokens, Window, WindowKey
from gateway_project import call_log, records
from gateway_project.books import change
from gateway_project.facts import Labels
from gateway_project.ids import new_id
from gateway_project.sessions import OnCursor

TENANTS_AT_ONCE = 20
ROWS_AT_ONCE = 500
LIMIT_NANOS = 10**15
NAME = "grown-"
Row = tuple[Any, ...]
KEY_OF = ("id", "tenant_id")
DEBIT_NANOS = 2_450_000
TOKENS = Tokens(180, 200, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Account:
    """What postings of one tenant need to know."""

    tenant_id: int
    key_ids: tuple[int, ...]
    month: WindowKey


def fill(tenants: int, keys: int, postings: int) -> None:
    """Add so many rows, once; there must be a tenant, and no fewer keys than tenants."""
    assert 0 < tenants <= keys, "every tenant has a key"
    began = time.monotonic()
    accounts = _accounts(tenants, keys)
    each, rest = divmod(postings, tenants)
    for at in range(0, tenants, TENANTS_AT_ONCE):
        _post({account: each + (at + n < rest) for n, account in _slice(accounts, at)})
    _rest()
    seconds = time.monotonic() - began
    print(f"{tenants:,} tenants, {keys:,} keys, {postings:,} postings in {seconds:.0f} s")


def _rest() -> None:
    """What a server does in its own time after a million rows at once is not to be measured."""
    statements = (
        ("VACUUM ANALYZE", "CHECKPOINT") if connection.vendor == "postgresql" else ("ANALYZE",)
    )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _slice(accounts: Sequence[Account], at: int) -> Iterator[tuple[int, Account]]:
    return enumerate(accounts[at : at + TENANTS_AT_ONCE])


def _accounts(tenants: int, keys: int) -> list[Account]:
    """Tenants with their chains, keys and monthly budgets, in one change of the directory."""
    now_us = time.time_ns() // 1000
    with change() as version, connection.cursor() as cursor:
        Tenant.objects.bulk_create(
            [_tenant(number, version) for number in range(tenants)], batch_size=ROWS_AT_ONCE
        )
        made = list(Tenant.objects.filter(external_id__startswith=NAME).order_by("id"))
        for tenant in made:
            origin = settings.SECRETS.audit_origin
            audit_log.open_log(cursor, connection.vendor, tenant.id, origin, now_us)
        rows = [_key(made[number % tenants], number, version) for number in range(keys)]
        ApiKey.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
        ids: dict[int, list[int]] = {tenant.id: [] for tenant in made}
        for key_id, tenant_id in ApiKey.objects.filter(
            tenant__external_id__startswith=NAME
        ).values_list(*KEY_OF):
            ids[tenant_id].append(key_id)
        Budget.objects.bulk_create(
            [_budget(tenant, period, version) for tenant in made for period in ("month", "day")],
            batch_size=ROWS_AT_ONCE,
        )
    span = periods.interval("month", "UTC", now_us)
    return [
        Account(
            budget.tenant_id,
            tuple(ids[budget.tenant_id]),
            WindowKey(budget.id, "", span.starts_us, span.ends_us, ""),
        )
        for budget in Budget.objects.filter(period="month", tenant__external_id__startswith=NAME)
    ]


def _tenant(number: int, version: int) -> Tenant:
    return Tenant(external_id=f"{NAME}{number}", name=f"Grown {number}", version=version)


def _key(tenant: Tenant, number: int, version: int) -> ApiKey:
    return ApiKey(
        tenant=tenant,
        name=f"key {number}",
        digest=secrets.token_bytes(32),
        prefix=f"tg_g{number:06d}"[:10],
        version=version,
    )


def _budget(tenant: Tenant, period: str, version: int) -> Budget:
    return Budget(
        tenant=tenant,
        scope="tenant",
        period=period,
        limit_nanos=LIMIT_NANOS,
        version=version,
    )


def _post(counts: dict[Account, int]) -> None:
    """Postings with their chain entries, windows and lines of the log: one transaction."""
    now_us = time.time_ns() // 1000
    vendor = connection.vendor
    with connection.cursor() as cursor:
        windows = store.open_windows(cursor, vendor, [account.month for account in counts])
    with transaction.atomic(), connection.cursor() as cursor:
        before = audit_log.lock_heads(cursor, vendor, [each.tenant_id for each in counts])
        after = dict(before)
        postings, entries = list[Row](), list[Row]()
        for account, count in counts.items():
            window_id, tenant_id = windows[account.month], account.tenant_id
            made = [_posting(account, window_id, n, now_us + n) for n in range(count)]
            drafts = [records.of_posting(posting) for posting in made]
            after[tenant_id], linked = chain.extend(before[tenant_id], drafts, now_us)
            entries += [(entry.tenant, entry.seq, entry.hash, entry.body) for entry in linked]
            postings += [_row(made[n], entry.seq) for n, entry in enumerate(linked)]
        _insert(cursor, "audit_entry", "tenant, seq, hash, body", entries)
        audit_log.write(cursor, vendor, before, after, [])
        _insert(cursor, "budgets_posting", store.POSTING, postings)
        spent = {
            windows[account.month]: _spent(account, n, windows) for account, n in counts.items()
        }
        OnCursor(cursor).tell(store.changes(vendor, Outcome(windows=spent), {}))
        _insert(cursor, "gateway_loggedcall", ", ".join(call_log.COLUMNS), _lines(postings))


def _insert(cursor: Any, table: str, columns: str, rows: Sequence[Row]) -> None:
    """In bulk: by COPY on PostgreSQL, which is twenty times as fast there."""
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join(["%s"] * (columns.count(",") + 1))
    cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def _spent(account: Account, count: int, windows: Mapping[WindowKey, int]) -> Window:
    month = account.month
    spent = count * DEBIT_NANOS
    window_id = windows[month]
    return Window(window_id, month.starts_us, month.ends_us, LIMIT_NANOS, 0, spent, 0)


def _posting(account: Account, window_id: int, number: int, posted_us: int) -> Posting:
    day = periods.utc_day(posted_us)
    key_id = account.key_ids[number % len(account.key_ids)] if account.key_ids else 0
    hold = Hold(
        attempt=new_id(),
        call=new_id(),
        call_no=0,
        tenant_id=account.tenant_id,
        key_id=key_id,
        amount_nanos=DEBIT_NANOS * 2,
        window_ids=(window_id,),
        provider="openai",
        model="mock",
        price_id=1,
        owner=0,
        day_utc=day,
        day_local=day,
        opened_us=posted_us,
        deadline_us=0,
    )
    return Posting(hold, 0, "provider_usage", "ok", TOKENS, DEBIT_NANOS, 0, 0, posted_us)


def _row(posting: Posting, seq: int) -> Row:
    """In the order of `store.POSTING`; `audit verify` tells if it is not."""
    hold, tokens = posting.hold, posting.tokens
    return (
        *(hold.attempt, posting.no, hold.call, hold.call_no, hold.tenant_id, hold.key_id),
        *(hold.amount_nanos, ",".join(map(str, hold.window_ids)), hold.provider, hold.model),
        *(hold.price_id, hold.day_utc, hold.day_local, hold.opened_us),
        *(posting.basis, posting.outcome, tokens.input, tokens.output, tokens.cache_read),
        *(tokens.cache_write, tokens.reasoning, posting.debit_nanos, posting.credit_nanos),
        *(posting.upper_nanos, posting.posted_us, seq, hold.user, hold.tags),
    )


def _lines(postings: Sequence[Row]) -> list[Row]:
    """A line of the request log for each posting."""
    at = {name: n for n, name in enumerate(store.POSTING.split(", "))}
    kept = ("call", "tenant_id", "key_id", "model", "provider", "attempt", "opened_us")
    found = []
    for row in postings:
        call, tenant_id, key_id, model, provider, attempt, opened_us = (row[at[n]] for n in kept)
        line = call_log.Line(call, tenant_id, key_id, model, Labels(), opened_us, False, provider)
        line.attempts = attempt
        found.append(line.values())
    return found
