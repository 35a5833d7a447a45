"""Costs: equal to the published list to the nano-dollar, and never below what is owed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from functools import cache

import genai_prices
import pytest
from genai_prices import data
from genai_prices.types import ModelPrice
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.price_source import RENAMED, PriceRow, matches, read_prices, simulator_prices
from providers.pricing import Price, PriceUnknown, bound, cost
from providers.rates import Rate
from providers.types import Usage

TODAY = date(2026, 11, 1)
BACK = {ours: theirs for theirs, ours in RENAMED.items()}
TEXT_RATES = {"input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok"}


@cache
def rows() -> list[PriceRow]:
    """Models whose text prices are all that a chat call meets."""
    return [
        row
        for row in read_prices(TODAY)
        if row.rates.keys() <= TEXT_RATES and {"input_mtok", "output_mtok"} <= row.rates.keys()
    ]


def priced(row: PriceRow) -> Price:
    return Price.from_row(1, row.provider, row.model, row.rates, row.context_window, None)


def published(row: PriceRow) -> ModelPrice:
    """The same model's prices as the package itself computes with them."""
    name, id = BACK.get(row.provider, row.provider), row.model
    if row.provider == "huggingface":
        id, _, host = row.model.rpartition(":")
        name = f"huggingface_{host}"
    [provider] = [each for each in data.providers if each.id == name]
    [model] = [each for each in provider.models if each.id == id]
    return model.get_prices(datetime.combine(TODAY, time(), UTC))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    fresh, read, write = (draw(st.integers(0, 300_000)) for _ in range(3))
    return Usage(fresh + read + write, draw(st.integers(0, 100_000)), read, write)


@settings(max_examples=300)
@given(st.data(), usages())
def test_a_cost_equals_the_published_list_rounded_up_to_a_nano(
    choice: st.DataObject, usage: Usage
) -> None:
    row = choice.draw(st.sampled_from(rows()))
    theirs = published(row).calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
    )

    exact = (theirs["total_price"] * 10**9).to_integral_value(ROUND_CEILING)

    assert cost(usage, priced(row)) == int(exact)


@settings(max_examples=300)
@given(st.data(), usages(), st.integers(0, 50_000))
def test_a_bound_is_never_below_a_cost_that_it_covers(
    choice: st.DataObject, usage: Usage, more: int
) -> None:
    price = priced(choice.draw(st.sampled_from(rows())))

    most = bound(price, usage.input_tokens + more).amount(usage.output_tokens + more)

    assert most >= cost(usage, price)


def test_the_list_covers_thousands_of_models() -> None:
    assert len(rows()) > 500


def test_a_cost_is_rounded_up_once_for_the_whole_attempt() -> None:
    price = Price.from_row(
        1, "p", "m", {"input_mtok": "0.0004", "output_mtok": "0.0004"}, None, None
    )

    assert cost(Usage(1, 1), price) == 1


def test_a_tier_applies_to_the_whole_request_once_its_input_is_above_the_start() -> None:
    rates = {"input_mtok": {"base": "3", "tiers": [[200_000, "6"]]}, "output_mtok": "15"}
    price = Price.from_row(1, "p", "m", rates, None, None)

    assert cost(Usage(200_000, 0), price) == 600_000_000
    assert cost(Usage(200_001, 0), price) == 1_200_006_000


def test_a_one_hour_cache_write_has_its_own_rate() -> None:
    rates = {
        "input_mtok": "3",
        "output_mtok": "15",
        "cache_write_mtok": "3.75",
        "cache_write_1h_mtok": "6",
    }
    price = Price.from_row(1, "p", "m", rates, None, None)
    usage = Usage(
        input_tokens=1_000_000, cache_write_tokens=1_000_000, cache_write_1h_tokens=400_000
    )

    assert cost(usage, price) == 600_000 * 3_750 + 400_000 * 6_000


def test_a_model_without_a_rate_is_never_free() -> None:
    price = Price.from_row(1, "p", "m", {}, None, None)
    with pytest.raises(PriceUnknown):
        cost(Usage(1, 1), price)
    with pytest.raises(PriceUnknown):
        bound(price, 1)


def test_ten_cents_a_call_cost_ten_cents_whatever_is_said() -> None:
    [row] = [
        row for row in simulator_prices() if (row.provider, row.model) == ("simulator", "sim-fixed")
    ]

    assert cost(Usage(123, 456), priced(row)) == 100_000_000


@pytest.mark.parametrize("text", ["free", "-1", "NaN", "Infinity", "1e-30"])
def test_what_is_not_a_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a price"):
        Price.from_row(1, "p", "m", {"input_mtok": text}, None, None)


def test_a_rate_is_exact_where_a_float_would_not_be() -> None:
    price = Price.from_row(1, "p", "m", {"input_mtok": "0.1", "output_mtok": "0"}, None, None)

    assert price.rates["input_mtok"] == Rate(10**17)
    assert cost(Usage(30_000_000, 0), price) == int(Decimal(3) * 10**9)


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ({"equals": "gpt-4o"}, "GPT-4o", True),
        ({"starts_with": "gpt-4o"}, "gpt-4o-mini", True),
        ({"ends_with": "mini"}, "gpt-4o-mini", True),
        ({"contains": "4o"}, "gpt-4o-mini", True),
        ({"regex": "^gpt-4o(-\\d+)?$"}, "gpt-4o-2024", True),
        ({"or": [{"equals": "a"}, {"equals": "b"}]}, "b", True),
        ({"and": [{"contains": "a"}, {"contains": "b"}]}, "a", False),
    ],
    ids=str,
)
def test_rules_for_names(rule: dict[str, object], name: str, expected: bool) -> None:
    assert matches(rule, name) is expected
