"""Every price of the installed list, with every kind of token, against the list's own sums."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cache

import pytest
from genai_prices import Usage as Theirs
from genai_prices import data
from genai_prices.types import ModelInfo
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.price_source import PriceRow, read_prices
from providers.pricing import PARTS_PER_DOLLAR, Price, PriceUnknown, bound, cost, parts, ways_of
from providers.types import Usage

DAYS = [date(2024, 6, 1), date(2025, 3, 1), date(2026, 9, 30), date(2026, 11, 1), date(2027, 1, 1)]
WAYS = ["", "default", "flex", "priority", "batch", "fast", "unheard"]
MODELS = [(provider, model) for provider in data.providers for model in provider.models]
PER_NANO = PARTS_PER_DOLLAR // 10**9
sizes = st.one_of(st.integers(0, 3), st.integers(0, 400_000), st.sampled_from([100_000, 200_000]))
times = st.one_of(
    st.times(), st.sampled_from([time(0, 30), time(16, 30), time(1), time(4), time(6), time(10)])
)


@cache
def priced(day: date) -> list[tuple[Price, ModelInfo]]:
    """Every model of the list that has a price, in its order, with the model itself."""
    found = zip(read_prices(day), MODELS, strict=True)
    return [(price_of(row), model) for row, (_, model) in found if row.rates.get("input_mtok")]


def price_of(row: PriceRow) -> Price:
    return Price.from_row(1, row.provider, row.model, row.rates, row.context_window, None)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """All classes together, none larger than what it is a part of."""
    fresh, read, write, long, output, reasoning = (draw(sizes) for _ in range(6))
    audio, image, audio_read, image_read, said, drawn = (draw(sizes) for _ in range(6))
    return Usage(
        input_tokens=fresh + read + write + long + audio + image + audio_read + image_read,
        output_tokens=output + reasoning + said + drawn,
        cache_read_tokens=read + audio_read + image_read,
        cache_write_tokens=write + long,
        cache_write_1h_tokens=long,
        reasoning_tokens=reasoning,
        input_audio_tokens=audio + audio_read,
        output_audio_tokens=said,
        cache_audio_read_tokens=audio_read,
        input_image_tokens=image + image_read,
        output_image_tokens=drawn,
        cache_image_read_tokens=image_read,
        web_searches=draw(st.integers(0, 5)),
        service_tier=draw(st.sampled_from(WAYS)),
    )


def exact(model: ModelInfo, usage: Usage, at: datetime) -> Decimal:
    """Dollars by the package itself."""
    theirs = Theirs(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
        cache_audio_read_tokens=usage.cache_audio_read_tokens,
        input_image_tokens=usage.input_image_tokens,
        output_image_tokens=usage.output_image_tokens,
        cache_image_read_tokens=usage.cache_image_read_tokens,
        input_video_tokens=0,
        output_citation_tokens=0,
        web_searches=usage.web_searches,
    )
    way = usage.service_tier
    context = {"service_tier": way, "processing": way, "speed": way}
    return model.get_prices(at, context).calc_price(theirs)["total_price"]


@settings(max_examples=200)
@given(st.data(), usages(), st.sampled_from(DAYS), times)
def test_any_usage_of_any_model_on_any_day_costs_what_the_list_says(
    choice: st.DataObject, usage: Usage, day: date, hour: time
) -> None:
    price, model = choice.draw(st.sampled_from(priced(day)))
    at = datetime.combine(day, hour, UTC)

    expected = (exact(model, usage, at) * 10**9).to_integral_value(ROUND_CEILING)

    assert cost(usage, price, at) == int(expected)


BUSY = Usage(
    input_tokens=250_111,
    output_tokens=7_003,
    cache_read_tokens=40_007,
    cache_write_tokens=9_001,
    cache_write_1h_tokens=4_003,
    reasoning_tokens=1_009,
    input_audio_tokens=20_011,
    output_audio_tokens=503,
    cache_audio_read_tokens=10_007,
    input_image_tokens=5_003,
    output_image_tokens=1_301,
    cache_image_read_tokens=2_003,
    web_searches=3,
)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_one_usage_with_every_class_costs_what_the_list_says_for_every_model(day: date) -> None:
    at = datetime.combine(day, time(5), UTC)

    wrong = [
        (price.provider, price.model)
        for price, model in priced(day)
        if cost(BUSY, price, at)
        != (exact(model, BUSY, at) * 10**9).to_integral_value(ROUND_CEILING)
    ]

    assert (wrong, len(priced(day)) > 2_000) == ([], True)


@settings(max_examples=200)
@given(st.data(), usages(), st.integers(0, 50_000), st.sampled_from(DAYS), times)
def test_a_bound_covers_every_tier_class_and_hour(
    choice: st.DataObject, usage: Usage, more: int, day: date, hour: time
) -> None:
    price, _ = choice.draw(st.sampled_from(priced(day)))
    at = choice.draw(st.sampled_from([None, datetime.combine(day, hour, UTC)]))

    most = bound(price, usage.input_tokens + more, searches_max=usage.web_searches)
    told = bound(
        price,
        usage.input_tokens + more,
        ways={usage.service_tier},
        searches_max=usage.web_searches,
    )

    owed = cost(usage, price, at)
    assert most.amount(usage.output_tokens + more) >= told.amount(usage.output_tokens + more)
    assert told.amount(usage.output_tokens + more) >= owed


@settings(max_examples=200)
@given(st.data(), usages(), times)
def test_parts_add_up_to_the_cost_and_tokens_stand_in_one_part_each(
    choice: st.DataObject, usage: Usage, hour: time
) -> None:
    price, _ = choice.draw(st.sampled_from(priced(DAYS[3])))
    at = choice.draw(st.sampled_from([None, datetime.combine(DAYS[3], hour, UTC)]))

    found = parts(usage, price, at)

    counted = {"request", "request_of_1000", "web_search"}
    assert -(-sum(part.quantity * part.rate for part in found) // PER_NANO) == cost(
        usage, price, at
    )
    assert sum(part.quantity for part in found if part.kind not in counted) == usage.total_tokens


@settings(max_examples=100)
@given(usages(), times)
def test_without_a_time_a_call_costs_as_at_the_dearest_hour(usage: Usage, hour: time) -> None:
    [price] = [
        p for p, _ in priced(DAYS[3]) if (p.provider, p.model) == ("deepseek", "deepseek-v4-flash")
    ]
    day = datetime.combine(DAYS[3], time(), UTC)

    hours = [cost(usage, price, day + timedelta(minutes=30 * step)) for step in range(48)]

    assert cost(usage, price) == max(hours)
    assert cost(usage, price, datetime.combine(DAYS[3], hour, UTC)) in hours


def test_an_hour_is_meant_in_utc() -> None:
    [price] = [
        p for p, _ in priced(DAYS[3]) if (p.provider, p.model) == ("deepseek", "deepseek-v4-flash")
    ]
    busy = datetime.fromisoformat("2026-11-01T10:59:59+08:00")

    assert cost(Usage(1_000_000), price, busy) == 300_000_000
    assert cost(Usage(1_000_000), price, busy + timedelta(hours=2)) == 150_000_000
    with pytest.raises(ValueError, match="without a zone"):
        cost(Usage(1), price, datetime(2026, 11, 1))  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize(
    ("way", "dollars"),
    [("", 11_250), ("default", 11_250), ("flex", 5_625), ("priority", 22_500), ("batch", 5_625)],
)
def test_a_service_tier_has_its_own_price(way: str, dollars: int) -> None:
    [price] = [p for p, _ in priced(DAYS[3]) if (p.provider, p.model) == ("openai", "gpt-5")]

    assert cost(Usage(1_000, 1_000, service_tier=way), price) == dollars * 1_000


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"flex", "priority", "scale"}),
        ({"service_tier": "auto"}, {"flex", "priority", "scale"}),
        ({"service_tier": "default"}, set()),
        ({"service_tier": "flex"}, {"flex"}),
        ({"service_tier": "standard_only", "speed": "fast"}, {"fast"}),
    ],
)
def test_what_was_asked_says_which_tiers_can_answer(
    options: dict[str, str], expected: set[str]
) -> None:
    assert ways_of(options) == expected


def test_free_models_without_a_written_price_are_refused() -> None:
    rows = [row for row in read_prices(DAYS[3]) if row.model == "google/gemma-2-9b-it:free"]

    for row in rows:
        with pytest.raises(PriceUnknown):
            cost(Usage(1, 1, service_tier="flex"), price_of(row))

    assert rows
