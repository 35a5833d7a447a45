"""Prices from the installed `genai-prices` package, in rows that a dated table can keep.

The package is imported only here and only when asked: it costs half a second and tens of
megabytes, and a running gateway reads its own table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from typing import Any

RENAMED = {"x-ai": "xai", "google": "gemini", "moonshotai": "moonshot"}
ALSO = {"openai": "openai-responses"}  # the same account, by its other API
HUGGINGFACE = "huggingface_"
SIMULATORS = ("simulator", "simulator-anthropic", "simulator-refuse")
SIMULATED_RATES = {"input_mtok": "0.15", "output_mtok": "0.60"}
FIXED_RATES = {"input_mtok": "0", "output_mtok": "0", "request": "0.10"}


@dataclass(frozen=True, slots=True)
class PriceRow:
    """`match` is a rule for `matches`, `rates` are decimal texts for `Price.from_row`."""

    provider: str
    model: str
    match: dict[str, Any]
    rates: dict[str, Any]
    context_window: int | None
    source_url: str
    source_version: str


def read_prices(today: date) -> list[PriceRow]:
    """Every model of the installed list with the prices in force on `today`, a day in UTC.

    Prices of some hours of that day, of a service tier or of batches are its rates' "variants",
    in the order in which `rates.in_force` asks them.
    """
    from genai_prices import data  # the import is dear, see above

    release = version("genai-prices")
    rows = [
        _row(provider, model, today, release)
        for provider in data.providers
        for model in provider.models
    ]
    return rows + [
        replace(row, provider=ALSO[row.provider]) for row in rows if row.provider in ALSO
    ]


def _row(provider: Any, model: Any, today: date, release: str) -> PriceRow:
    standard, hourly = _of_day(model.prices, today)
    rates = _rates(standard)
    variants = [*hourly, *_ways(model.price_variants or (), today)]
    if variants:
        rates["variants"] = variants
    name, suffix = _named(provider.id)
    return PriceRow(
        provider=name,
        model=model.id + suffix,
        match=_with_suffix(_match(model.match), suffix),
        rates=rates,
        context_window=model.context_window,
        source_url=str((provider.pricing_urls or [""])[0]),
        source_version=release,
    )


def _of_day(prices: Any, today: date) -> tuple[Any, list[dict[str, Any]]]:
    """(the prices of the whole day, variants for its hours): of the list's entries the last one
    that is active holds, so hours count only if they stand behind the day's entry.
    """
    if not isinstance(prices, list):
        return prices, []
    hourly: list[dict[str, Any]] = []
    for entry in reversed(prices):
        hours = _hours(entry.constraint)
        if hours is not None:
            hourly.append({"when": {}, "hours": hours, "rates": _rates(entry.prices)})
        elif _is_active(entry.constraint, today):
            return entry.prices, hourly
    return prices[0].prices, hourly


def _ways(variants: Iterable[Any], today: date) -> Iterator[dict[str, Any]]:
    for variant in variants:
        found = {"when": dict(variant.when), "rates": _rates(variant.prices)}
        hours = _hours(variant.constraint)
        if hours is not None:
            yield {**found, "hours": hours}
        elif _is_active(variant.constraint, today):
            yield found


def _hours(constraint: Any) -> list[str] | None:
    """Start and end of a part of the day, as times in UTC."""
    if not hasattr(constraint, "start_time"):
        return None
    limits = (constraint.start_time, constraint.end_time)
    return [_in_utc(each).isoformat() for each in limits]


def _in_utc(at: time) -> time:
    if at.tzinfo is None:
        return at
    return datetime.combine(date(2000, 1, 1), at).astimezone(UTC).time()


def _is_active(constraint: Any, today: date) -> bool:
    return constraint is None or bool(constraint.start_date <= today)


def simulator_prices() -> list[PriceRow]:
    """The simulator's: `sim-fixed` ten cents a call, everything else like a small real model."""
    rows = []
    for provider in SIMULATORS:
        for model, match, rates in (
            ("sim-fixed", {"equals": "sim-fixed"}, FIXED_RATES),
            ("sim-echo", {"starts_with": "sim-"}, SIMULATED_RATES),
        ):
            rows.append(PriceRow(provider, model, match, dict(rates), 128_000, "simulator", "1"))
    return rows


def matches(match: Mapping[str, Any], name: str) -> bool:
    """Whether a rule covers a model's name; names are compared without regard to case."""
    [(kind, value)] = match.items()
    text = name.lower()
    match kind:
        case "equals":
            return text == str(value).lower()
        case "starts_with":
            return text.startswith(str(value).lower())
        case "ends_with":
            return text.endswith(str(value).lower())
        case "contains":
            return str(value).lower() in text
        case "regex":
            return re.search(value, text, re.IGNORECASE) is not None
        case "or":
            return any(matches(each, name) for each in value)
        case "and":
            return all(matches(each, name) for each in value)
    raise ValueError(f"{kind!r} is not a rule for names")


def _named(provider: str) -> tuple[str, str]:
    """(our name, what every model's name ends with): Hugging Face asks for `model:host`."""
    if provider.startswith(HUGGINGFACE):
        return "huggingface", f":{provider.removeprefix(HUGGINGFACE)}"
    return RENAMED.get(provider, provider), ""


def _with_suffix(match: dict[str, Any], suffix: str) -> dict[str, Any]:
    """The same rule for names with a suffix; it is what the list has there: equals, and or."""
    if not suffix:
        return match
    [(kind, value)] = match.items()
    if kind == "or":
        return {"or": [_with_suffix(each, suffix) for each in value]}
    if kind in {"equals", "ends_with"}:
        return {kind: value + suffix}
    return {"and": [match, {"ends_with": suffix}]}


def _match(clause: Any) -> dict[str, Any]:
    for attribute in ("equals", "starts_with", "ends_with", "contains", "regex"):
        if hasattr(clause, attribute):
            return {attribute: getattr(clause, attribute)}
    for attribute in ("or", "and"):
        parts = getattr(clause, f"{attribute}_", None)
        if parts is not None:
            return {attribute: [_match(part) for part in parts]}
    raise ValueError(f"{type(clause).__name__} is not a rule for names")


def _rates(prices: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in vars(prices).items():
        if value is None or name.startswith("_"):
            continue
        tiers = getattr(value, "tiers", None)
        if tiers is None:
            found[name] = str(value)
        else:
            steps = [[tier.start, str(tier.price)] for tier in tiers]
            found[name] = {"base": str(value.base), "tiers": steps}
    return found
