"""Published rates as whole numbers, and which of them hold for a call. Pure.

A rate is dollars per million tokens (or per request, per thousand searches) times 10^18, so that
no float and no rounding comes between. A price list has standard rates and variants: other rates
for some hours of the day, or for a way of calling (batch, flex, priority, fast).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

SCALE = 10**18
WAYS = ("service_tier", "processing", "speed")
"""What a list tells ways of calling apart by; one word of an answer fits at most one of them."""


@dataclass(frozen=True, slots=True)
class Rate:
    """10^-18 dollars per unit: the base, and tiers by ascending start in input tokens.

    A tier applies to the whole request once its input exceeds the tier's start.
    """

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, input_tokens: int) -> int:
        for start, rate in reversed(self.tiers):
            if input_tokens > start:
                return rate
        return self.base

    def most(self, input_tokens_max: int) -> int:
        """The dearest rate that a request of at most so many input tokens can meet."""
        reached = [rate for start, rate in self.tiers if input_tokens_max > start]
        return max([self.base, *reached])


Rates = Mapping[str, Rate]


class Hours(NamedTuple):
    """A part of every day, `[start, end)` in UTC; it may pass midnight."""

    start: time
    end: time

    def hold(self, at: time) -> bool:
        if self.end < self.start:
            return at >= self.start or at < self.end
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Variant:
    """Rates instead of others: of all where `when` is empty, else of those that it names."""

    when: Mapping[str, str]
    rates: Rates
    hours: Hours | None = None

    def holds(self, way: str, at: time) -> bool:
        if self.hours is not None and not self.hours.hold(at):
            return False
        return all(kind in WAYS and value == way for kind, value in self.when.items())


def read_rates(rates: Mapping[str, Any]) -> tuple[dict[str, Rate], tuple[Variant, ...]]:
    """(standard rates, variants) of a row's decimal texts; raises ValueError for what is none."""
    known = {name: read_rate(value) for name, value in rates.items() if name != "variants"}
    return known, tuple(_variant(each) for each in rates.get("variants", ()))


def _variant(row: Mapping[str, Any]) -> Variant:
    rates = {name: read_rate(value) for name, value in row["rates"].items()}
    hours = row.get("hours")
    limits = Hours(*(time.fromisoformat(each) for each in hours)) if hours else None
    return Variant(dict(row["when"]), rates, limits)


def read_rate(value: Any) -> Rate:
    """From decimal text: "2.5", or {"base": "3", "tiers": [[200000, "6"]]}."""
    if isinstance(value, Mapping):
        tiers = sorted((int(start), _scaled(rate)) for start, rate in value["tiers"])
        return Rate(_scaled(value["base"]), tuple(tiers))
    return Rate(_scaled(value))


def _scaled(text: Any) -> int:
    try:
        scaled = Decimal(str(text)) * SCALE
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a price") from error
    if not scaled.is_finite() or scaled < 0 or scaled != int(scaled):
        raise ValueError(f"{text!r} is not a price of at most eighteen decimals")
    return int(scaled)


def in_force(standard: Rates, variants: Sequence[Variant], way: str, at: time) -> Rates:
    """The rates of a call: the hour's, with each rate of the way of calling laid over them.

    Of several variants that hold the first one wins, rate by rate.
    """
    hourly = (each.rates for each in variants if not each.when and each.holds(way, at))
    chosen = dict(next(hourly, standard))
    own: dict[str, Rate] = {}
    for each in variants:
        if each.when and each.holds(way, at):
            own = {**each.rates, **own}
    return {**chosen, **own}


def moments(variants: Iterable[Variant]) -> list[time]:
    """Times of day that between them meet every combination of hours that there is."""
    limits = [each for variant in variants for each in variant.hours or ()]
    return sorted({time(), *limits})


def time_of_day(at: datetime) -> time:
    """In UTC; raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no price")
    return at.astimezone(UTC).time()


def dearest(rates: Sequence[Rate]) -> Rate:
    """The rate that is the highest of all at every size of request; nothing costs nothing."""
    starts = sorted({start for rate in rates for start, _ in rate.tiers})
    base = max((rate.base for rate in rates), default=0)
    return Rate(base, tuple((start, max(r.at(start + 1) for r in rates)) for start in starts))
