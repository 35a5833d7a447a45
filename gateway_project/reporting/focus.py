"""Postings as FOCUS charges: what was used at which price, and every nano that this leaves open.

    charges of token kinds + adjustments = the ledger's net, exactly

Each posting is taken apart at the price row that it was charged at. An attempt is rounded up to
whole nano-dollars, an expired hold has no tokens, and postings do not tell service tiers, one-hour
cache writes, audio and images: what remains of each is a charge of its own that says why.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from django.db import connection

from budgets.periods import utc_day
from providers import pricing
from providers.pricing import Part, parts
from providers.types import Usage

from ..models import Price

PER_NANO = pricing.PARTS_PER_DOLLAR // 10**9
ROUNDED_MAX = 3 * PER_NANO  # older attempts were rounded up in three sums, not in one
CHUNK_ROWS = 1_000
PRICES_MAX = 10_000
QUERY = """
    SELECT day_utc, tenant_id, key_id, provider, model, price_id, tags,
        no, basis, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        held_nanos, debit_nanos - credit_nanos, posted_us
    FROM budgets_posting WHERE day_utc >= %s AND day_utc < %s{narrow} ORDER BY 1, 2, 3, 4, 5, 6, 7
"""


class Reason(StrEnum):
    """Why money stands beside the token kinds, as ChargeDescription."""

    ROUNDING = "Rounding up to whole nano-dollars, once per attempt"
    UPPER_BOUND = "Upper bound of attempts whose usage is not known"
    REPLACED = "Upper bound taken back, because usage became known"
    OWN_RATE = "Service tier, one-hour cache writes or media at rates of their own, and rounding"
    NO_PRICE = "Attempts without a price row to take them apart by"


class Group(NamedTuple):
    """What the charges of one row of FOCUS have in common; all from the postings."""

    day_utc: str
    tenant_id: int
    key_id: int
    provider: str
    model: str
    price_id: int
    tags: str


class Line(NamedTuple):
    """The rest of a posting's columns."""

    no: int
    basis: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    held_nanos: int
    net_nanos: int
    posted_us: int


class Meter(NamedTuple):
    """What charges of a group are told apart by; a `kind` is a token kind or a Reason."""

    kind: str
    rate: int
    is_estimated: bool
    corrected_in: str  # the month of a correction of an earlier month, or nothing


@dataclass(slots=True)
class Amount:
    quantity: int = 0
    cost: int = 0  # in 10^-24 dollars
    attempts: int = 0


class Charge(NamedTuple):
    group: Group
    meter: Meter
    amount: Amount


def charges(since: date, until: date, tenants: frozenset[int] | None) -> Generator[Charge]:
    """Every charge of the UTC days [since, until); one group of postings is in memory at a time.

    Run it inside `budgets.snapshot`.
    """
    narrow = ""
    if tenants is not None:
        ids = ", ".join(str(int(number)) for number in sorted(tenants))
        narrow = f" AND tenant_id IN ({ids or 'NULL'})"
    known = lru_cache(PRICES_MAX)(_price)
    with connection.chunked_cursor() as cursor:
        cursor.execute(QUERY.format(narrow=narrow), [since.isoformat(), until.isoformat()])
        rows = (row for page in iter(lambda: cursor.fetchmany(CHUNK_ROWS), []) for row in page)
        for key, own in groupby(rows, key=lambda row: Group(*row[:7])):
            price = known(key.price_id)
            for meter, amount in sorted(_added(key, own, price).items()):
                yield Charge(key, meter, amount)


def _price(price_id: int) -> pricing.Price | None:
    row = Price.objects.filter(id=price_id).first()
    if row is None:
        return None
    return pricing.Price.from_row(row.id, row.provider, row.model, row.rates, None, None)


def _added(
    group: Group, rows: Iterator[tuple[object, ...]], price: pricing.Price | None
) -> Mapping[Meter, Amount]:
    found: dict[Meter, Amount] = {}
    for row in rows:
        line = Line(*row[7:])  # type: ignore[arg-type]  # the columns of QUERY
        month = utc_day(line.posted_us)[:7]
        late = month if line.no and month > group.day_utc[:7] else ""
        for kind, quantity, rate, cost in _split(line, price):
            is_estimated = line.basis != "provider_usage" and kind != Reason.REPLACED
            amount = found.setdefault(Meter(kind, rate, is_estimated, late), Amount())
            amount.quantity += quantity
            amount.cost += cost
            amount.attempts += 1
    return found


def _split(line: Line, price: pricing.Price | None) -> Iterator[tuple[str, int, int, int]]:
    """(kind, quantity, rate, cost) of one posting; the costs come to its net amount, exactly."""
    rest = line.net_nanos * PER_NANO
    if line.no:  # the bill before was the hold, and this posting is the difference to it
        yield Reason.REPLACED, 0, 0, -line.held_nanos * PER_NANO
        rest += line.held_nanos * PER_NANO
    for part in _parts(line, price):
        cost = part.quantity * part.rate
        yield part.kind, part.quantity, part.rate, cost
        rest -= cost
    if rest:
        yield _reason(line, price, rest), 0, 0, rest


def _parts(line: Line, price: pricing.Price | None) -> list[Part]:
    """Nothing for what was charged without tokens, and for what was not charged at all."""
    if price is None or line.basis in {"none", "upper_bound"}:
        return []
    usage = Usage(
        line.input_tokens, line.output_tokens, line.cache_read_tokens, line.cache_write_tokens
    )
    return parts(usage, price)


def _reason(line: Line, price: pricing.Price | None, rest: int) -> Reason:
    if line.basis == "upper_bound":
        return Reason.UPPER_BOUND
    if price is None:
        return Reason.NO_PRICE
    if 0 <= rest < ROUNDED_MAX:
        return Reason.ROUNDING
    return Reason.OWN_RATE
