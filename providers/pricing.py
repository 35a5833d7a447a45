"""What a call costs: exact, in whole nano-dollars, rounded up once per attempt. Pure.

Counts overlap (cached input is input, cached audio is both), so they are taken apart first, and
then each part meets one rate: its own, or else that of the class it belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from .rates import (
    SCALE,
    WAYS,
    Rate,
    Rates,
    Variant,
    dearest,
    in_force,
    moments,
    read_rates,
    time_of_day,
)
from .shapes import shape
from .types import Usage

PER_NANO = SCALE // 10**3  # of a rate per million tokens
PER_PICO = SCALE // 10**6
PARTS_PER_DOLLAR = SCALE * 10**6  # of a rate per token: what `Part.rate` counts in
PER_REQUEST, PER_THOUSAND = 10**6, 10**3  # of such parts in a dollar per unit, per 1,000 units

Chain = tuple[str, ...]
INPUT: Chain = ("input_mtok",)
CACHE_READ: Chain = ("cache_read_mtok", *INPUT)
CACHE_WRITE: Chain = ("cache_write_mtok", *INPUT)
CACHE_WRITE_1H: Chain = ("cache_write_1h_mtok", *CACHE_WRITE)
AUDIO: Chain = ("input_audio_mtok", *INPUT)
AUDIO_READ: Chain = ("cache_audio_read_mtok", "input_audio_mtok", *CACHE_READ)
IMAGE: Chain = ("input_image_mtok", *INPUT)
IMAGE_READ: Chain = ("cache_image_read_mtok", "input_image_mtok", *CACHE_READ)
OUTPUT: Chain = ("output_mtok",)
OUTPUT_AUDIO: Chain = ("output_audio_mtok", *OUTPUT)
OUTPUT_IMAGE: Chain = ("output_image_mtok", *OUTPUT)
REASONING: Chain = ("output_reasoning_mtok", *OUTPUT)
INPUT_CHAINS = (
    INPUT,
    CACHE_READ,
    CACHE_WRITE,
    CACHE_WRITE_1H,
    AUDIO,
    AUDIO_READ,
    IMAGE,
    IMAGE_READ,
)
OUTPUT_CHAINS = (OUTPUT, OUTPUT_AUDIO, OUTPUT_IMAGE, REASONING)
OTHER_CHAINS: tuple[Chain, ...] = (("request",), ("requests_kcount",), ("web_searches_kcount",))
NOTHING = Rate(0)


class PriceUnknown(LookupError):
    """A rate that this usage needs is not published; nothing is ever charged at a silent zero."""


@dataclass(frozen=True)
class Price:
    """A model's price list; `id` is its row in the dated table."""

    id: int
    provider: str
    model: str
    rates: Rates = field(default_factory=dict)
    context_window: int | None = None
    max_output_tokens: int | None = None
    variants: tuple[Variant, ...] = ()

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
        """From decimal text: "2.5", or {"base": "3", "tiers": [[200000, "6"]]}.

        `rates["variants"]` lists {"when": {"service_tier": "flex"}, "rates": {...}} and
        {"when": {}, "hours": ["00:30:00", "16:30:00"], "rates": {...}}, times in UTC.
        """
        known, variants = read_rates(rates)
        return cls(id, provider, model, known, context_window, max_output_tokens, variants)

    def of(self, way: str, at: datetime | None) -> Rates:
        """The rates of a call that was answered this way; raises PriceUnknown if there are none.

        `way` is the service tier of the answer; one that the list does not know has no price of
        its own. Without a time every rate is the dearest of the day.
        """
        if not self.variants:
            return self._checked
        moment = None if at is None or not self._has_hours else time_of_day(at)
        if moment is not None:
            return in_force(self._checked, self.variants, way, moment)
        known = self._by_way.get(way)
        return self._by_way[""] if known is None else known

    @cached_property
    def _checked(self) -> Rates:
        if "request" not in self.rates and "input_mtok" not in self.rates:
            raise PriceUnknown(f"{self.provider}/{self.model}")
        return self.rates

    @cached_property
    def _has_hours(self) -> bool:
        return any(each.hours for each in self.variants)

    @cached_property
    def _by_way(self) -> Mapping[str, Rates]:
        """The dearest rates of the day by way of calling, the ordinary way being ""."""
        ways = {value for each in self.variants for k, value in each.when.items() if k in WAYS}
        return {way: self._dearest_of_day(way) for way in ("", *ways)}

    def _dearest_of_day(self, way: str) -> Rates:
        days = [in_force(self._checked, self.variants, way, at) for at in moments(self.variants)]
        if len(days) == 1:
            return days[0]
        chains = {chain[0]: chain for chain in (*INPUT_CHAINS, *OUTPUT_CHAINS, *OTHER_CHAINS)}
        names = {name for day in days for name in day}
        return {
            name: dearest([_rate(day, chains.get(name, (name,))) for day in days]) for name in names
        }

    @cached_property
    def _ceilings(self) -> dict[frozenset[str] | None, Ceiling]:
        return {}

    def ceiling(self, ways: Collection[str] | None) -> Ceiling:
        """The dearest of these ways of calling and the ordinary one, or of all there are."""
        key = None if ways is None else frozenset(ways)
        known = self._ceilings.get(key)
        if known is None:
            known = self._ceilings[key] = self._ceiling(key)
        return known

    def _ceiling(self, ways: frozenset[str] | None) -> Ceiling:
        by_way = self._by_way if self.variants else {"": self._checked}
        lists = [each for way, each in by_way.items() if not way or ways is None or way in ways]
        others = [dearest([_rate(each, chain) for each in lists]).base for chain in OTHER_CHAINS]
        request, thousand, searches = others
        return Ceiling(
            dearest([_rate(each, chain) for each in lists for chain in INPUT_CHAINS]),
            dearest([_rate(each, chain) for each in lists for chain in OUTPUT_CHAINS]),
            request * PER_REQUEST + thousand * PER_THOUSAND,
            searches * PER_THOUSAND,
        )


class Ceiling(NamedTuple):
    """The dearest rates of a list: per token of input and of output, per request and search."""

    input: Rate
    output: Rate
    request: int
    search: int


@shape
class Bound:
    """The most an attempt can cost: a fixed part, and pico-dollars per output token."""

    base_nanos: int
    output_pico_per_token: int

    def amount(self, output_tokens: int) -> int:
        return self.base_nanos + -(-output_tokens * self.output_pico_per_token // 1000)


class Part(NamedTuple):
    """One line of an attempt's cost: so many units at `rate`, in 10^-24 dollars a unit."""

    kind: str
    quantity: int
    rate: int


def cost(usage: Usage, price: Price, at: datetime | None = None) -> int:
    """Nano-dollars of one attempt; raises PriceUnknown where the list has no rate for it.

    `at` is when it was asked, for lists with rates by the hour; without it the dearest hour's.
    Output is free where a list has a price for input alone, as for embeddings.
    """
    rates = price.of(usage.service_tier, at)
    total, amount = usage.input_tokens, 0
    for _, quantity, chain in _apart(usage, rates):
        amount += quantity * _rate(rates, chain).at(total)
    for _, quantity, rate in _counted(usage, rates):
        amount += quantity * rate
    return -(-amount // PER_NANO)


def parts(usage: Usage, price: Price, at: datetime | None = None) -> list[Part]:
    """What `cost` adds up: rounded up to whole nano-dollars, their sum is `cost` exactly.

    For reports. Lines of nothing are left out; where there is no price there are no lines.
    """
    try:
        rates = price.of(usage.service_tier, at)
    except PriceUnknown:
        return []
    total = usage.input_tokens
    tokens = [
        Part(kind, quantity, _rate(rates, chain).at(total))
        for kind, quantity, chain in _apart(usage, rates)
    ]
    return [*tokens, *(part for part in _counted(usage, rates) if part.rate)]


def _apart(usage: Usage, rates: Rates) -> list[tuple[str, int, Chain]]:
    """(kind, tokens, its rates) of classes that do not overlap: every token stands in one.

    A class without a rate of its own is charged as the class it belongs to: cached input as
    input, a one-hour write as a write.
    """
    read, write = usage.cache_read_tokens, usage.cache_write_tokens
    fresh = usage.input_tokens - read - write
    seen_and_heard: list[tuple[str, int, Chain]] = []
    if usage.input_audio_tokens or usage.input_image_tokens:
        audio, image = usage.cache_audio_read_tokens, usage.cache_image_read_tokens
        new_audio, new_image = usage.input_audio_tokens - audio, usage.input_image_tokens - image
        fresh, read = fresh - new_audio - new_image, read - audio - image
        seen_and_heard = [
            ("cache_image_read", image, IMAGE_READ),
            ("input_image", new_image, IMAGE),
            ("cache_audio_read", audio, AUDIO_READ),
            ("input_audio", new_audio, AUDIO),
        ]
    found: list[tuple[str, int, Chain]] = [("input", fresh, INPUT)]
    if read:
        found.append(("cache_read", read, CACHE_READ))
    if write:
        long = usage.cache_write_1h_tokens
        found.append(("cache_write", write - long, CACHE_WRITE))
        found.append(("cache_write_1h", long, CACHE_WRITE_1H))
    found += seen_and_heard
    found += _apart_output(usage, rates)
    return [each for each in found if each[1] > 0]


def _apart_output(usage: Usage, rates: Rates) -> list[tuple[str, int, Chain]]:
    """Reasoning is a line of its own only where it has a price of its own."""
    text, audio, image = usage.output_tokens, usage.output_audio_tokens, usage.output_image_tokens
    found: list[tuple[str, int, Chain]] = []
    if REASONING[0] in rates:
        text -= usage.reasoning_tokens
        found.append(("reasoning", usage.reasoning_tokens, REASONING))
    if audio or image:
        text -= audio + image
        found += [("output_audio", audio, OUTPUT_AUDIO), ("output_image", image, OUTPUT_IMAGE)]
    return [("output", text, OUTPUT), *found]


def _counted(usage: Usage, rates: Rates) -> list[Part]:
    """What is charged by number and not by tokens."""
    found: list[Part] = []
    if "request" in rates:
        found.append(Part("request", 1, rates["request"].base * PER_REQUEST))
    if "requests_kcount" in rates:
        found.append(Part("request_of_1000", 1, rates["requests_kcount"].base * PER_THOUSAND))
    if usage.web_searches and "web_searches_kcount" in rates:
        each = rates["web_searches_kcount"].base * PER_THOUSAND
        found.append(Part("web_search", usage.web_searches, each))
    return found


def _rate(rates: Rates, chain: Chain) -> Rate:
    """The first that there is."""
    for name in chain:
        rate = rates.get(name)
        if rate is not None:
            return rate
    return NOTHING


def bound(
    price: Price,
    input_tokens_max: int,
    *,
    ways: Collection[str] | None = None,
    searches_max: int = 0,
) -> Bound:
    """An upper bound for any attempt with at most so many input tokens and searches.

    `ways` are the service tiers that may come back beside the ordinary one (see `ways_of`); by
    default every one that the list knows.
    """
    top = price.ceiling(ways)
    dearest_input = top.input.most(input_tokens_max)
    output = top.output.most(input_tokens_max)
    fixed = top.request + searches_max * top.search
    base = -(-(input_tokens_max * dearest_input + fixed) // PER_NANO)
    # The input's nano and the output's are rounded up apart, which only adds.
    return Bound(base + 1, -(-output // PER_PICO)) if dearest_input or output else Bound(base, 0)


ASKED_FOR = frozenset({"default", "standard_only"})
UNASKED = frozenset({"flex", "priority", "scale"})


def ways_of(options: Mapping[str, Any]) -> frozenset[str]:
    """The service tiers that an answer to these options can come with, for `bound`.

    https://platform.openai.com/docs/api-reference/chat/create#chat-create-service_tier, 2026-11:
    `auto` means whatever the project is set to, `default` the ordinary one, and any other tier
    may fall back to that. Batches are another door, and fast answers are had only by asking.
    """
    tier, speed = options.get("service_tier"), options.get("speed")
    if tier is None and speed is None:
        return UNASKED
    fast = {"fast"} if speed == "fast" else set()
    if tier in ASKED_FOR:
        return frozenset(fast)
    if isinstance(tier, str) and tier != "auto":
        return frozenset({tier, *fast})
    return frozenset({*UNASKED, *fast})
