"""What the price table says outside the hot path: prices in force, and targets without one."""

from __future__ import annotations

from collections.abc import Iterable

from providers.catalog import priced_as
from providers.price_source import matches

from .models import Price

Named = tuple[str, str]
RATE_NAMES = {
    "input_mtok": "Input, per million tokens",
    "output_mtok": "Output, per million tokens",
    "cache_read_mtok": "Cached input, per million tokens",
    "cache_write_mtok": "Cache write, per million tokens",
    "cache_write_1h_mtok": "Cache write for an hour, per million tokens",
    "request": "Each request",
    "requests_kcount": "A thousand requests",
}


def without_price(targets: Iterable[Named]) -> set[Named]:
    """Those of these (provider, model) whose calls would be refused for want of a price."""
    wanted = set(targets)
    rules: dict[str, list[tuple[str, dict[str, object]]]] = {}
    names = {each for provider, _ in wanted for each in priced_as(provider)}
    rows = Price.objects.filter(valid_to=None, provider__in=names)
    for provider, model, match in rows.values_list("provider", "model", "match"):
        rules.setdefault(provider, []).append((model, match))
    return {
        (provider, name)
        for provider, name in wanted
        if not any(
            model == name or matches(rule, name)
            for each in priced_as(provider)
            for model, rule in rules.get(each, [])
        )
    }
