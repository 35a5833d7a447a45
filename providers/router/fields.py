"""Single fields of a configuration, read strictly: the value, None if absent, or a ConfigError."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import ConfigError

PICO = 10**12


def _wrong(where: str, name: str, value: Any, wanted: str) -> ConfigError:
    return ConfigError(f"{where}.{name}: {str(value)[:60]!r} is not {wanted}")


def text(where: str, document: Mapping[str, Any], name: str) -> str:
    """Not empty, and required."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(where, name, value, "a name")
    return value


def mapping(where: str, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if not isinstance(value, Mapping):
        raise _wrong(where, name, value, "an object")
    return value


def flag(where: str, document: Mapping[str, Any], name: str) -> bool | None:
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(where, name, value, "true or false")
    return value


def whole(where: str, document: Mapping[str, Any], name: str, *, least: int = 0) -> int | None:
    """A whole number of at least `least`; 1e5 from a YAML file is one too."""
    value = number(where, document, name)
    if value is None:
        return None
    if value != int(value) or value < least:
        raise _wrong(where, name, document[name], f"a whole number of at least {least}")
    return int(value)


def number(where: str, document: Mapping[str, Any], name: str) -> float | None:
    """A finite number of at least 0."""
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(where, name, value, "a number")
    if not math.isfinite(value) or value < 0:
        raise _wrong(where, name, value, "a number of at least 0")
    return float(value)


def seconds(where: str, document: Mapping[str, Any], name: str) -> float | None:
    """More than 0."""
    value = number(where, document, name)
    if value == 0:
        raise _wrong(where, name, 0, "a number of seconds above 0")
    return value


def texts(where: str, document: Mapping[str, Any], name: str) -> frozenset[str]:
    value = document.get(name)
    if value is None:
        return frozenset()
    is_list = isinstance(value, list | tuple | set | frozenset)
    if not is_list or not all(isinstance(each, str) and each for each in value):
        raise _wrong(where, name, value, "a list of names")
    return frozenset(value)


def pico(where: str, document: Mapping[str, Any], name: str) -> int | None:
    """Dollars per token as 10^-12 dollars, rounded up: only for comparing, never for a bill."""
    if document.get(name) is None:
        return None
    try:
        amount = Decimal(str(document[name])) * PICO
    except InvalidOperation as error:
        raise _wrong(where, name, document[name], "a price in dollars per token") from error
    if not amount.is_finite() or amount < 0 or isinstance(document[name], bool):
        raise _wrong(where, name, document[name], "a price in dollars per token")
    return math.ceil(amount)
