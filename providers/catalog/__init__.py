"""Every provider, one table. A new OpenAI-compatible host is a row, not code.

`PROVIDERS` is the table by name, `ALIASES` the other names that callers know a row by,
`VARIABLES` every name of the environment that a row reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from .compatible import COMPATIBLE
from .native import NATIVE
from .shape import Auth, Dialect, Provider

PROVIDERS: Mapping[str, Provider] = {row.name: row for row in (*NATIVE, *COMPATIBLE)}
ALIASES: Mapping[str, str] = {
    alias: row.name for row in PROVIDERS.values() for alias in row.aliases
}
VARIABLES = frozenset(
    name
    for row in PROVIDERS.values()
    for name in (row.key_variable, row.url_variable, *row.other_variables)
)


def resolve(name: str) -> str | None:
    """The row's name for a provider's name or alias; None for any other text."""
    return name if name in PROVIDERS else ALIASES.get(name)


def priced_as(name: str) -> tuple[str, ...]:
    """The providers whose prices hold for this one: its own, then those of its account."""
    row = PROVIDERS.get(name)
    return (name, row.prices_of) if row is not None and row.prices_of else (name,)


__all__ = [
    "ALIASES",
    "PROVIDERS",
    "VARIABLES",
    "Auth",
    "Dialect",
    "Provider",
    "priced_as",
    "resolve",
]
