"""The dated price table: copied from the installed list, overridden by admins, never rewritten."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from providers.price_source import PriceRow, read_prices, simulator_prices
from providers.pricing import Price as Rates

from ..books import change
from ..models import Price
from .drafts import SYSTEM, append, draft

ADMIN = "admin"
TEXT_MAX = 500


def sync_prices(actor: str, now: datetime | None = None) -> tuple[int, int]:
    """Copy the installed price list into the dated table; returns (rows added, rows closed).

    What an admin has overridden stays as it is.
    """
    now = now or datetime.now(UTC)
    wanted = {(row.provider, row.model): row for row in _listed(now)}
    current = {(p.provider, p.model): p for p in Price.objects.filter(valid_to=None)}
    changed = [row for key, row in wanted.items() if _differs(current.get(key), row)]
    if not changed:
        return 0, 0
    closing = [current[key].id for row in changed if (key := (row.provider, row.model)) in current]
    counts: dict[str, int] = {"added": len(changed), "closed": len(closing)}
    with change(draft(SYSTEM, actor, "prices.sync", "prices", after=counts)) as version:
        for start in range(0, len(closing), 500):
            Price.objects.filter(id__in=closing[start : start + 500]).update(
                valid_to=now, version=version
            )
        Price.objects.bulk_create([_price(row, now, version) for row in changed], batch_size=200)
    return len(changed), len(closing)


def override_price(
    actor: str,
    provider: str,
    model: str,
    rates: Mapping[str, Any],
    context_window: int | None,
    now: datetime | None = None,
) -> Price:
    """From now on this model costs these rates, in dollars as decimal text per million tokens.

    Raises ValueError for rates that are no prices. What was charged before stays as it was.
    """
    Rates.from_row(0, provider, model, rates, context_window, None)
    now = now or datetime.now(UTC)
    with change() as version:
        before = _close(provider, model, now, version)
        price = Price.objects.create(
            provider=provider,
            model=model,
            match=before.match if before else {"equals": model},
            rates=dict(rates),
            context_window=context_window,
            valid_from=now,
            source=ADMIN,
            source_version=actor[:50],
            version=version,
        )
        told = {"rates": _text(before.rates)} if before else {}
        subject = f"price:{provider}/{model}"
        append(draft(SYSTEM, actor, "price.override", subject, told, {"rates": _text(rates)}))
    return price


def restore_price(actor: str, price: Price, now: datetime | None = None) -> Price | None:
    """End an override; the installed list's price holds again, if it has one."""
    now = now or datetime.now(UTC)
    listed = {(row.provider, row.model): row for row in _listed(now)}
    row = listed.get((price.provider, price.model))
    with change() as version:
        _close(price.provider, price.model, now, version)
        restored = _price(row, now, version) if row is not None else None
        if restored is not None:
            restored.save(force_insert=True)
        after = {"rates": _text(restored.rates) if restored else None}
        subject = f"price:{price.provider}/{price.model}"
        before = {"rates": _text(price.rates)}
        append(draft(SYSTEM, actor, "price.restore", subject, before, after))
    return restored


def _close(provider: str, model: str, now: datetime, version: int) -> Price | None:
    rows = Price.objects.filter(provider=provider, model=model, valid_to=None)
    before = rows.first()
    rows.update(valid_to=now, version=version)
    return before


def _text(rates: Mapping[str, Any]) -> str:
    """Rates in one line, for the chain, which holds no nested values."""
    return ", ".join(f"{name}={rates[name]}" for name in sorted(rates))[:TEXT_MAX]


def _listed(now: datetime) -> list[PriceRow]:
    return [*read_prices(now.date()), *simulator_prices()]


def _differs(price: Price | None, row: PriceRow) -> bool:
    if price is not None and price.source == ADMIN:
        return False
    return price is None or (price.rates, price.match, price.context_window) != (
        row.rates,
        row.match,
        row.context_window,
    )


def _price(row: PriceRow, now: datetime, version: int) -> Price:
    known = dataclasses.asdict(row)
    return Price(
        provider=row.provider,
        model=row.model,
        match=known["match"],
        rates=known["rates"],
        context_window=row.context_window,
        valid_from=now,
        source=row.source_url[:200],
        source_version=row.source_version,
        version=version,
    )
