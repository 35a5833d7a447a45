"""What tokens cost: exact, in whole nano-dollars, rounded up once per attempt. Pure.

Rates are published as decimal dollars per million tokens (or per request); here they are whole
numbers of 10^-12 dollars per million, so that no float and no rounding comes between.
A tier applies to the whole request once its input exceeds the tier's start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from .types import Usage

SCALE = 10**18
PER_NANO = SCALE // 10**3  # of a rate per million tokens
PER_PICO = SCALE // 10**6
PARTS_PER_DOLLAR = SCALE * 10**6  # of a rate per token: what `Part.rate` counts in
OUTPUT_CLASSES = ("output_mtok",)
REQUEST_KINDS = (("request", "request", 10**6), ("request_of_1000", "requests_kcount", 10**3))
INPUT_CLASSES = ("input_mtok", "cache_write_mtok", "cache_write_1h_mtok", "cache_read_mtok")


class PriceUnknown(LookupError):
    """A rate that this usage needs is not published; nothing is ever charged at a silent zero."""


@dataclass(frozen=True, slots=True)
class Rate:
    """10^-18 dollars per unit: the base, and tiers by ascending start in input tokens."""

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


@dataclass(frozen=True, slots=True)
class Price:
    """A model's price list; `id` is its row in the dated table."""

    id: int
    provider: str
    model: str
    rates: Mapping[str, Rate] = field(default_factory=dict)
    context_window: int | None = None
    max_output_tokens: int | None = None

    @classmethod
    def from_row(
        cls,
        id: int,
        provider: str,
        model: str,
        rates: Mapping[str, Any],
        context_window: int | None,
        max_output_tokens: int | None,
    ) -> Price:
        """From decimal text: "2.5", or {"base": "3", "tiers": [[200000, "6"]]}."""
        known = {name: _rate(value) for name, value in rates.items() if name != "variants"}
        return cls(id, provider, model, known, context_window, max_output_tokens)


def _rate(value: Any) -> Rate:
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


@dataclass(frozen=True, slots=True)
class Bound:
    """The most an attempt can cost: a fixed part, and pico-dollars per output token."""

    base_nanos: int
    output_pico_per_token: int

    def amount(self, output_tokens: int) -> int:
        return self.base_nanos + -(-output_tokens * self.output_pico_per_token // 1000)


def cost(usage: Usage, price: Price) -> int:
    """Nano-dollars of one attempt; raises PriceUnknown where a needed rate is missing.

    Classes that overlap are taken apart first, and a class without a rate of its own is charged
    as the class it belongs to: cached input as input, a one-hour write as a write.
    """
    if "request" not in price.rates and "input_mtok" not in price.rates:
        raise PriceUnknown(f"{price.provider}/{price.model}")
    write_1h = usage.cache_write_1h_tokens
    write = usage.cache_write_tokens - write_1h
    fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
    total = usage.input_tokens
    amount = fresh * _at(price, ("input_mtok",), total)
    amount += usage.cache_read_tokens * _at(price, ("cache_read_mtok", "input_mtok"), total)
    amount += write * _at(price, ("cache_write_mtok", "input_mtok"), total)
    names = ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok")
    amount += write_1h * _at(price, names, total)
    amount += usage.output_tokens * _at(price, OUTPUT_CLASSES, total)
    return -(-amount // PER_NANO) + _per_request(price)


class Part(NamedTuple):
    """One line of an attempt's cost: so many units at `rate`, in 10^-24 dollars a unit."""

    kind: str
    quantity: int
    rate: int


def parts(usage: Usage, price: Price) -> list[Part]:
    """What `cost` adds up, before it rounds: with each of the three sums rounded up to whole
    nano-dollars (tokens, the request, its part of a thousand), they come to `cost` exactly.

    For reports, not for the hot path. Lines of nothing are left out, and nothing is raised.
    """
    total = usage.input_tokens
    write_1h = usage.cache_write_1h_tokens
    fresh = total - usage.cache_read_tokens - usage.cache_write_tokens
    writes = ("cache_write_mtok", "input_mtok")
    found = [
        Part("input", fresh, _at(price, ("input_mtok",), total)),
        Part(
            "cache_read",
            usage.cache_read_tokens,
            _at(price, ("cache_read_mtok", "input_mtok"), total),
        ),
        Part("cache_write", usage.cache_write_tokens - write_1h, _at(price, writes, total)),
        Part("cache_write_1h", write_1h, _at(price, ("cache_write_1h_mtok", *writes), total)),
        Part("output", usage.output_tokens, _at(price, OUTPUT_CLASSES, total)),
    ]
    for kind, name, scale in REQUEST_KINDS:
        rate = price.rates.get(name)
        found.append(Part(kind, 1, rate.base * scale if rate else 0))
    return [part for part in found if part.quantity and (part.rate or "request" not in part.kind)]


def _at(price: Price, names: tuple[str, ...], input_tokens: int) -> int:
    """The first rate there is; 0 for output where a model has only an input price (embeddings)."""
    for name in names:
        rate = price.rates.get(name)
        if rate is not None:
            return rate.at(input_tokens)
    return 0


def _per_request(price: Price) -> int:
    once = price.rates.get("request")
    thousand = price.rates.get("requests_kcount")
    nanos = -(-once.base // 10**9) if once else 0
    return nanos + (-(-thousand.base // 10**12) if thousand else 0)


def bound(price: Price, input_tokens_max: int) -> Bound:
    """An upper bound for any attempt with at most so many input tokens."""
    if "request" not in price.rates and "input_mtok" not in price.rates:
        raise PriceUnknown(f"{price.provider}/{price.model}")
    dearest = max(_most(price, name, input_tokens_max) for name in INPUT_CLASSES)
    base = -(-input_tokens_max * dearest // PER_NANO) + _per_request(price)
    output = _most(price, "output_mtok", input_tokens_max)
    return Bound(base + 1, -(-output // PER_PICO)) if dearest or output else Bound(base, 0)


def _most(price: Price, name: str, input_tokens_max: int) -> int:
    rate = price.rates.get(name)
    return rate.most(input_tokens_max) if rate is not None else 0
