"""What an attempt cost, written out: tokens x dollars per million = dollars, summed, rounded up.

The figures come from the price row that the attempt was charged at. The sum is held against the
ledger, and the page says whether they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from budgets.models import Posting
from providers.pricing import PARTS_PER_DOLLAR, Part, PriceUnknown, cost, parts
from providers.pricing import Price as Rates
from providers.types import Usage

from ..models import Price

EXACT = Context(prec=60)
MILLION = 10**6
RATED = ("provider_usage", "counted", "uncertain")
BASES = {
    "provider_usage": "The provider counted these tokens.",
    "counted": "The provider sent no usage: our tokenizer counted what was sent and said.",
    "uncertain": "It was sent, and nobody knows what became of it: all input is charged.",
    "upper_bound": "The gateway ended during this attempt: what was held is charged until the "
    "real figure comes as a correction.",
    "none": "Nothing was charged: it failed before the provider could bill.",
}
WORDS = {
    "input": "Input",
    "cache_read": "Cached input",
    "cache_write": "Cache write",
    "cache_write_1h": "Cache write for an hour",
    "output": "Output",
    "reasoning": "Reasoning",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One term of the sum; `tokens` is None for what is charged per request."""

    words: str
    tokens: int | None
    rate: str
    amount: str


@dataclass(frozen=True, slots=True)
class Written:
    """The sum: its terms, its exact value in dollars, and rounded up to whole nano-dollars."""

    lines: Sequence[Line]
    exact: str
    charged_nanos: int


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt of a call with all its postings, the corrections behind."""

    postings: Sequence[Posting]
    price: Price | None
    net_nanos: int
    written: Written | None

    @property
    def last(self) -> Posting:
        return self.postings[-1]

    @property
    def first(self) -> Posting:
        return self.postings[0]

    @property
    def why(self) -> str:
        return BASES.get(self.last.basis, "")

    @property
    def is_equal(self) -> bool:
        return self.written is not None and self.written.charged_nanos == self.net_nanos


def tried(postings: Sequence[Posting]) -> list[Tried]:
    """The attempts behind a call's postings, in their order."""
    groups: dict[str, list[Posting]] = {}
    for posting in postings:
        groups.setdefault(posting.attempt, []).append(posting)
    prices = Price.objects.in_bulk({posting.price_id for posting in postings})
    return [_tried(group, prices.get(group[0].price_id)) for group in groups.values()]


def _tried(postings: Sequence[Posting], price: Price | None) -> Tried:
    net = sum(posting.debit_nanos - posting.credit_nanos for posting in postings)
    last = postings[-1]
    written = written_out(usage_of(last), price) if price and last.basis in RATED else None
    return Tried(postings, price, net, written)


def usage_of(posting: Posting) -> Usage:
    return Usage(
        input_tokens=posting.input_tokens,
        output_tokens=posting.output_tokens,
        cache_read_tokens=posting.cache_read_tokens,
        cache_write_tokens=posting.cache_write_tokens,
        reasoning_tokens=posting.reasoning_tokens,
    )


def written_out(usage: Usage, price: Price) -> Written | None:
    """None where the price row has no rate for it."""
    rates = Rates.from_row(
        price.id, price.provider, price.model, price.rates, price.context_window, None
    )
    try:
        charged = cost(usage, rates)
    except PriceUnknown:
        return None
    terms = [_term(part) for part in parts(usage, rates)]
    total = EXACT.create_decimal(0)
    for _, amount in terms:
        total = EXACT.add(total, amount)
    return Written([line for line, _ in terms], _text(total), charged)


def _term(part: Part) -> tuple[Line, Decimal]:
    amount = _dollars(part.quantity * part.rate)
    if part.kind not in WORDS:
        return Line("Request", None, _text(amount), _text(amount)), amount
    rate = _text(_dollars(part.rate * MILLION))
    return Line(WORDS[part.kind], part.quantity, rate, _text(amount)), amount


def _dollars(small: int) -> Decimal:
    return EXACT.divide(EXACT.create_decimal(small), EXACT.create_decimal(PARTS_PER_DOLLAR))


def _text(amount: Decimal) -> str:
    """Plain decimals with at least two, none lost."""
    whole, _, decimals = f"{amount:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
