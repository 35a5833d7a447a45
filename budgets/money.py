"""Nano-dollars: whole numbers of a thousand-millionth of a dollar. Pure."""

from __future__ import annotations

import re

NANOS_PER_DOLLAR = 10**9
NANOS_MAX = 900_000_000_000_000_000
DOLLARS = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?")


class BadAmount(ValueError):
    """A text that is not an amount of dollars."""


def parse_dollars(text: str) -> int:
    """Nano-dollars of a text such as "12.50"; no sign, no exponent, at most nine decimals."""
    match = DOLLARS.fullmatch(text) if text.isascii() else None
    if match is None:
        raise BadAmount(f"{text[:50]!r} is not an amount of dollars, such as 12.50")
    nanos = int(match[1]) * NANOS_PER_DOLLAR + int((match[2] or "").ljust(9, "0"))
    if nanos > NANOS_MAX:
        raise BadAmount(f"{text} is more than {decimal_text(NANOS_MAX)} dollars")
    return nanos


def dollars(nanos: int) -> str:
    """ "$0.10": all decimals that there are, and at least two."""
    return f"-${decimal_text(-nanos)}" if nanos < 0 else f"${decimal_text(nanos)}"


def decimal_text(nanos: int) -> str:
    """The amount without a currency sign, exact."""
    whole, rest = divmod(abs(nanos), NANOS_PER_DOLLAR)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{whole}.{decimals}"
