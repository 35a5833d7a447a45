"""A vector as numbers or as base64. https://platform.openai.com/docs/api-reference/embeddings."""

from __future__ import annotations

import base64
import binascii
import struct

from ..errors import UnusableAnswer
from .types import Encoding, Vector

FLOAT_BYTES = 4


def packed(vector: Vector) -> str:
    """Base64 of little-endian 32-bit floats, as OpenAI's client unpacks it."""
    if isinstance(vector, str):
        return vector
    try:
        data = struct.pack(f"<{len(vector)}f", *vector)
    except (struct.error, OverflowError) as error:
        raise UnusableAnswer("a vector of the provider's answer is not of 32-bit floats") from error
    return base64.b64encode(data).decode()


def floats(vector: Vector) -> list[float]:
    """Numbers; raises UnusableAnswer for base64 that holds none."""
    if not isinstance(vector, str):
        return list(vector)
    try:
        data = base64.b64decode(vector, validate=True)
    except binascii.Error as error:
        raise UnusableAnswer("a vector of the provider's answer is not base64") from error
    if not data or len(data) % FLOAT_BYTES:
        raise UnusableAnswer("a vector of the provider's answer is not of 32-bit floats")
    return list(struct.unpack(f"<{len(data) // FLOAT_BYTES}f", data))


def encoded(vector: Vector, encoding: Encoding) -> str | list[float]:
    return packed(vector) if encoding == "base64" else floats(vector)


def checked(vector: object) -> Vector:
    """A vector as a provider sent it; raises UnusableAnswer for anything else."""
    if isinstance(vector, str) and vector:
        return vector
    if isinstance(vector, list) and vector and all(type(each) in {float, int} for each in vector):
        return vector
    raise UnusableAnswer("an embedding of the provider's answer is not a vector")
