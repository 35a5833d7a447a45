"""The canonical request and answer of an embeddings call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..types import Json, Usage

Encoding = Literal["float", "base64"]
Input: TypeAlias = str | Sequence[int]
"""A text, or its tokens in the model's own encoding."""
Vector: TypeAlias = Sequence[float] | str
"""Numbers, or the base64 of little-endian 32-bit floats: as the provider sent it."""


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """One embeddings call: at least one input. `dimensions` is None for the model's own number.

    `encoding` is how the caller wants its vectors; `options` holds every other field by its name.
    """

    model: str
    inputs: Sequence[Input]
    dimensions: int | None = None
    encoding: Encoding = "float"
    provider: str | None = None
    options: Json = field(default_factory=dict)

    @property
    def max_tokens(self) -> int:
        """A vector is no output that anybody counts."""
        return 0

    @property
    def stream(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class EmbeddingResponse:
    """One vector for each input, in the order of the inputs; usage has input tokens only."""

    model: str
    vectors: Sequence[Vector]
    usage: Usage | None
