"""Embeddings: texts into vectors. OpenAI's `/v1/embeddings` is the shape that callers speak.

A caller's document becomes an `EmbeddingRequest` (`parse_request`), is counted (`count_input`),
said in the provider's dialect (`client.build`), asked (`client.embed`) and told in OpenAI's shape
(`write_response`). Nothing is streamed, and there are no output tokens.
"""

from __future__ import annotations

from .count import bound_input, count_input
from .request import parse_request
from .types import EmbeddingRequest, EmbeddingResponse, Encoding, Input, Vector
from .vectors import floats, packed
from .write import write_response

__all__ = [
    "EmbeddingRequest",
    "EmbeddingResponse",
    "Encoding",
    "Input",
    "Vector",
    "bound_input",
    "count_input",
    "floats",
    "packed",
    "parse_request",
    "write_response",
]
