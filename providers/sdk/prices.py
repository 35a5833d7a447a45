"""The price of a model: what the caller registered, else the installed list as of today.

The list is read once a day and process, when a price is first asked for; it costs a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ..catalog import priced_as
from ..price_source import PriceRow, matches, read_prices, simulator_prices
from ..pricing import Price, PriceUnknown

TOKENS_PER_RATE = 10**6
STEP = Decimal("1e-18")  # `pricing` keeps eighteen decimals of a rate
RATE_FIELDS = {
    "input_cost_per_token": "input_mtok",
    "output_cost_per_token": "output_mtok",
    "cache_read_input_token_cost": "cache_read_mtok",
    "cache_creation_input_token_cost": "cache_write_mtok",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h_mtok",
}

registered: dict[tuple[str, str], dict[str, Any]] = {}
"""(provider, model) -> LiteLLM's fields, as `register_model` was given them."""


@lru_cache(maxsize=2)
def rows_of(day: date) -> Mapping[str, list[PriceRow]]:
    """The installed list by provider."""
    by_provider: dict[str, list[PriceRow]] = {}
    for row in (*read_prices(day), *simulator_prices()):
        by_provider.setdefault(row.provider, []).append(row)
    return by_provider


def today() -> date:
    return datetime.now(UTC).date()


def find_row(provider: str, model: str) -> PriceRow | None:
    """An exact name first, then the first rule that matches."""
    return _find_row(provider, model, today())


@lru_cache(maxsize=4_096)
def _find_row(provider: str, model: str, day: date) -> PriceRow | None:
    rows = [row for each in priced_as(provider) for row in rows_of(day).get(each, [])]
    exact = next((row for row in rows if row.model == model), None)
    return exact or next((row for row in rows if matches(row.match, model)), None)


def find_price(provider: str, model: str) -> Price:
    """Raises PriceUnknown."""
    known = registered.get((provider, model))
    if known is not None and any(name in known for name in RATE_FIELDS):
        return registered_price(provider, model, known)
    row = find_row(provider, model)
    if row is None:
        raise PriceUnknown(f"{provider}/{model}")
    return Price.from_row(0, provider, row.model, row.rates, row.context_window, None)


def registered_price(provider: str, model: str, known: Mapping[str, Any]) -> Price:
    """A price from dollars per token."""
    rates = {
        rate: per_million(known[name])
        for name, rate in RATE_FIELDS.items()
        if known.get(name) is not None
    }
    return Price.from_row(
        0,
        provider,
        model,
        rates,
        known.get("max_input_tokens"),
        known.get("max_output_tokens"),
    )


def per_million(dollars_per_token: float | str | Decimal) -> str:
    """A float as it is written (2.5e-06 is 2.5 a million), to eighteen decimals."""
    rate = Decimal(str(dollars_per_token)) * TOKENS_PER_RATE
    return format(rate.quantize(STEP) if rate != rate.quantize(STEP) else rate, "f")
