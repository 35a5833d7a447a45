"""Embeddings of the simulator: the same input has the same vector, of length one. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from .. import tokens
from ..embeddings import packed

DIMENSIONS = 8
DIMENSIONS_MAX = 4_096
BYTES_EACH = 4

Input = str | Sequence[int]


def whole(body: Mapping[str, Any], model: str) -> bytes:
    """An answer on OpenAI's wire; `sim-nousage` and `sim-badusage` misbehave here too."""
    is_packed = body.get("encoding_format") == "base64"
    dimensions = dimensions_of(body)
    vectors = [vector(each, dimensions) for each in inputs_of(body)]
    document = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": at,
                "embedding": packed(each) if is_packed else each,
            }
            for at, each in enumerate(vectors)
        ],
        "model": model,
    }
    count: Any = -1 if model == "sim-badusage" else input_tokens(body)
    usage = {"prompt_tokens": count, "total_tokens": count}
    return orjson.dumps(document if model == "sim-nousage" else {**document, "usage": usage})


def check(body: Mapping[str, Any]) -> None:
    """Raises ValueError, TypeError for what cannot be answered."""
    if body.get("stream"):
        raise ValueError("vectors are not streamed")
    input_tokens(body)
    dimensions_of(body)


def inputs_of(body: Mapping[str, Any]) -> list[Input]:
    """Always a list; raises ValueError for what is no input."""
    given = body.get("input")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given:
        raise ValueError("input must be a text, tokens, or a list of either")
    return [given] if isinstance(given[0], int) else given


def input_tokens(body: Mapping[str, Any]) -> int:
    return sum(
        tokens.count_text(each) if isinstance(each, str) else len(each) for each in inputs_of(body)
    )


def dimensions_of(body: Mapping[str, Any]) -> int:
    """Raises ValueError for a number that no vector has."""
    wanted = int(body.get("dimensions") or DIMENSIONS)
    if not 0 < wanted <= DIMENSIONS_MAX:
        raise ValueError(f"dimensions must be from 1 to {DIMENSIONS_MAX}")
    return wanted


def vector(given: Input, dimensions: int) -> list[float]:
    """Numbers from a hash of the input."""
    text = given if isinstance(given, str) else ",".join(map(str, given))
    data = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(dimensions * BYTES_EACH)
    parts = [data[at : at + BYTES_EACH] for at in range(0, len(data), BYTES_EACH)]
    numbers = [int.from_bytes(part, signed=True) / 2**31 for part in parts]
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]
