"""The three shapes that a request is built from, and the Bus that carries its facts.

A Transition turns a value into the next one, a StreamingTransition ends in a stream, a Guard looks
and may refuse. Each is any async function of that shape: nothing to inherit, register or decorate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

Fact = TypeVar("Fact")
In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class NotOnBus(LookupError):
    """A step asked for a fact that no earlier step has written."""


class AlreadyOnBus(ValueError):
    """A step wrote a fact for the second time; facts of a request never change."""


class Bus(dict[type, Any]):
    """Typed facts of one request, each written once and looked up by its type.

    A dict underneath, for the look-up's sake: a call asks its Bus some forty times.
    """

    __slots__ = ()

    def __init__(self, *facts: object) -> None:
        for fact in facts:
            self.put(fact)

    def put(self, fact: object) -> None:
        """Write a fact under its own type; raises AlreadyOnBus if that type is there already."""
        kind = type(fact)
        if kind in self:
            raise AlreadyOnBus(kind.__name__)
        dict.__setitem__(self, kind, fact)

    def __missing__(self, kind: type) -> Any:
        raise NotOnBus(kind.__name__)

    def __setitem__(self, kind: type, fact: object) -> None:
        raise AlreadyOnBus(f"{kind.__name__} can only be put")

    if TYPE_CHECKING:

        def __getitem__(self, kind: type[Fact], /) -> Fact: ...

        def get(  # type: ignore[override]
            self, kind: type[Fact], /
        ) -> Fact | None: ...


class Transition(Protocol[In, Out]):
    async def __call__(self, value: In, bus: Bus, /) -> Out: ...


class StreamingTransition(Protocol[In, Out]):
    def __call__(self, value: In, bus: Bus, /) -> AsyncIterator[Out]: ...


class Guard(Protocol[In]):
    async def __call__(self, value: In, bus: Bus, /) -> None: ...
