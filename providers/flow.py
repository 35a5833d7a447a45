"""The three shapes that a request is built from, and the Bus that carries its facts.

A Transition turns a value into the next one, a StreamingTransition ends in a stream, a Guard looks
and may refuse. Each is any async function of that shape: nothing to inherit, register or decorate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeVar

Fact = TypeVar("Fact")
In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class NotOnBus(LookupError):
    """A step asked for a fact that no earlier step has written."""


class AlreadyOnBus(ValueError):
    """A step wrote a fact for the second time; facts of a request never change."""


class Bus:
    """Typed facts of one request, each written once and looked up by its type."""

    __slots__ = ("_facts",)

    def __init__(self, *facts: object) -> None:
        self._facts: dict[type, Any] = {}
        for fact in facts:
            self.put(fact)

    def put(self, fact: object) -> None:
        """Write a fact under its own type; raises AlreadyOnBus if that type is there already."""
        kind = type(fact)
        if kind in self._facts:
            raise AlreadyOnBus(kind.__name__)
        self._facts[kind] = fact

    def __getitem__(self, kind: type[Fact]) -> Fact:
        try:
            fact: Fact = self._facts[kind]
        except KeyError:
            raise NotOnBus(kind.__name__) from None
        return fact

    def get(self, kind: type[Fact]) -> Fact | None:
        """The fact of this type, or None where the step that writes it has not run."""
        return self._facts.get(kind)

    def __contains__(self, kind: type) -> bool:
        return kind in self._facts


class Transition(Protocol[In, Out]):
    async def __call__(self, value: In, bus: Bus, /) -> Out: ...


class StreamingTransition(Protocol[In, Out]):
    def __call__(self, value: In, bus: Bus, /) -> AsyncIterator[Out]: ...


class Guard(Protocol[In]):
    async def __call__(self, value: In, bus: Bus, /) -> None: ...
