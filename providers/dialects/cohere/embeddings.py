"""Cohere's `/v2/embed`, outward. https://docs.cohere.com/reference/embed, 2026-11.

`input_type` is required there and unknown to OpenAI: a caller that says none embeds documents to
be searched. At most 96 texts go in one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...catalog import Provider
from ...embeddings.types import EmbeddingRequest, EmbeddingResponse
from ...embeddings.vectors import checked
from ...errors import Unsupported, UnusableAnswer
from ...types import HttpRequest, Usage
from ..answers import read_error, token_count
from ..encoding import encoded
from .response import whole

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "accept": "application/json",
}
TEXTS_MAX = 96
INPUT_TYPE = "search_document"
SAID = frozenset({"input_type", "truncate", "max_tokens", "priority"})


def build_request(request: EmbeddingRequest, *, model: str, row: Provider) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for."""
    if len(request.inputs) > TEXTS_MAX:
        raise Unsupported(f"This model takes at most {TEXTS_MAX} inputs.", param="input")
    for at, each in enumerate(request.inputs):
        if not isinstance(each, str):
            raise Unsupported("This model takes texts, not tokens.", param=f"input.{at}")
    body: dict[str, Any] = {
        "input_type": INPUT_TYPE,
        **{name: value for name, value in request.options.items() if name in SAID},
        "model": model,
        "texts": list(request.inputs),
        "embedding_types": [request.encoding],
    }
    if request.dimensions is not None:
        body[row.dimensions_field] = request.dimensions
    dropped = tuple(sorted(name for name in request.options if name not in SAID))
    return HttpRequest("/v2/embed", HEADERS, encoded(body), dropped)


def read_response(body: Any) -> EmbeddingResponse:
    """The vectors in the order of their inputs; raises UnusableAnswer for a body that is none."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    by_type = body.get("embeddings")
    found = by_type.get("float") or by_type.get("base64") if isinstance(by_type, Mapping) else None
    if not isinstance(found, list):
        raise UnusableAnswer("the provider's answer has no embeddings")
    return EmbeddingResponse("", [checked(each) for each in found], _usage(body.get("meta")))


def _usage(meta: Any) -> Usage | None:
    """The billed units, which are what Cohere charges; None where absent or absurd."""
    billed = meta.get("billed_units") if isinstance(meta, Mapping) else None
    given = billed.get("input_tokens") if isinstance(billed, Mapping) else None
    count = None if given is None else token_count(whole(given))
    return None if count is None else Usage(input_tokens=count)


__all__ = ["build_request", "read_error", "read_response"]
