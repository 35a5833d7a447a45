"""Rates, durations and tokens as the pages of calls and prices show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from budgets import money

from ..price_list import RATE_NAMES

register = template.Library()


@register.filter
def rate(value: Any) -> str:
    """Dollars as published, with its tiers: "$3, $6 above 200,000 input tokens"."""
    if value is None or value == "":
        return "–"
    if not isinstance(value, Mapping):
        return f"${value}"
    tiers = [f"${price} above {int(start):,} input tokens" for start, price in value["tiers"]]
    return ", ".join([f"${value['base']}", *tiers])


@register.filter
def short_rate(value: Any) -> str:
    """The base alone, with a plus where tiers follow; the drawer has them all."""
    if isinstance(value, Mapping):
        return f"${value['base']}+"
    return rate(value)


@register.filter
def rate_name(name: str) -> str:
    return RATE_NAMES.get(name, name.replace("_", " "))


@register.filter
def duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"


@register.filter
def whole(number: int | None) -> str:
    """A count with its thousands apart."""
    return "–" if number is None else f"{number:,}"


@register.filter
def status_look(status: int) -> str:
    if status < 400:
        return "tag-good"
    return "tag-bad" if status >= 500 else "tag-warn"


@register.filter
def exact_dollars(nanos: int) -> str:
    """Every decimal that there is."""
    return money.dollars(nanos)
