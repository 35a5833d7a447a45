"""Shapes of what a room makes by the dozen a call; rooms share no code, so each has its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, dataclass_transform

Shape = TypeVar("Shape")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def shape(cls: type[Shape]) -> type[Shape]:
    """A value that nobody changes once it is made: a dataclass with slots, compared by its fields.

    That it is not changed is the type checker's to see, not each instance's: a dataclass that
    is frozen at run time costs five times as much to make (2.7 us for fourteen fields, not 0.5).
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


class Change(NamedTuple):
    """A statement that writes, its values, and how many rows it must touch, or else `refusal`."""

    text: str
    values: Sequence[Any]
    rows: int | None = None
    refusal: Exception | None = None
