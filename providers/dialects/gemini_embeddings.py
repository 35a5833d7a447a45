"""Gemini's `:embedContent` for one input and `:batchEmbedContents` for several, outward.

https://ai.google.dev/api/embeddings, 2026-11. Paths are below the address of the API itself,
without its version. Most models report no usage: it is then counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..catalog import Provider
from ..embeddings.types import EmbeddingRequest, EmbeddingResponse, Vector
from ..embeddings.vectors import checked
from ..errors import Unsupported, UnusableAnswer
from ..types import HttpRequest, Usage
from .answers import read_error, token_count
from .encoding import encoded

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "accept": "application/json",
}
# One segment of a path and nothing else: a colon would begin another method.
MODEL = re.compile(r"[A-Za-z0-9._-]{1,256}")
SAID = {
    "task_type": "taskType",
    "taskType": "taskType",
    "title": "title",
    "auto_truncate": "autoTruncate",
}


def build_request(request: EmbeddingRequest, *, model: str, row: Provider) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for."""
    name = model.removeprefix("models/")
    if not MODEL.fullmatch(name):
        raise Unsupported(
            "The model does not exist.", param="model", code="model_not_found", status=404
        )
    options = {SAID[key]: value for key, value in request.options.items() if key in SAID}
    if request.dimensions is not None:
        options["outputDimensionality"] = request.dimensions
    asked = []
    for at, each in enumerate(request.inputs):
        if not isinstance(each, str):
            raise Unsupported("This model takes texts, not tokens.", param=f"input.{at}")
        asked.append({"model": f"models/{name}", "content": {"parts": [{"text": each}]}, **options})
    verb, body = ("embedContent", asked[0])
    if len(asked) > 1:
        verb, body = ("batchEmbedContents", {"requests": asked})
    dropped = tuple(sorted(key for key in request.options if key not in SAID))
    path = f"/v1beta/models/{name}:{verb}"
    return HttpRequest(path, HEADERS, encoded(body), dropped)


def read_response(body: Any) -> EmbeddingResponse:
    """The vectors in the order of their inputs; raises UnusableAnswer for a body that is none."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    found = body.get("embeddings", [body["embedding"]] if "embedding" in body else None)
    if not isinstance(found, list):
        raise UnusableAnswer("the provider's answer has no embeddings")
    return EmbeddingResponse("", [_vector(each) for each in found], _usage(body))


def _vector(found: Any) -> Vector:
    return checked(found.get("values") if isinstance(found, Mapping) else None)


def _usage(body: Mapping[str, Any]) -> Usage | None:
    raw = body.get("usageMetadata")
    given = raw.get("promptTokenCount") if isinstance(raw, Mapping) else None
    count = None if given is None else token_count(given)
    return None if count is None else Usage(input_tokens=count)


__all__ = ["build_request", "read_error", "read_response"]
