"""An answer in OpenAI's shape. https://platform.openai.com/docs/api-reference/embeddings/object."""

from __future__ import annotations

from typing import Any

from ..types import Usage
from .types import EmbeddingResponse, Encoding
from .vectors import encoded


def write_response(
    response: EmbeddingResponse, encoding: Encoding, usage: Usage | None = None
) -> dict[str, Any]:
    """A `list` of embeddings, encoded as the caller asked, whatever the provider sent.

    `usage` is what was charged, where the provider's own was absent or not believed. Raises
    UnusableAnswer for a vector that cannot be encoded.
    """
    charged = usage or response.usage
    tokens = charged.input_tokens if charged is not None else 0
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": at, "embedding": encoded(vector, encoding)}
            for at, vector in enumerate(response.vectors)
        ],
        "model": response.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
