"""OpenAI's `/embeddings`, outward; compatible hosts, Mistral's and Voyage's fields included.

https://platform.openai.com/docs/api-reference/embeddings, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalog import Provider
from ..embeddings.types import EmbeddingRequest, EmbeddingResponse
from ..embeddings.vectors import checked
from ..errors import UnusableAnswer
from ..types import HttpRequest, Usage
from .answers import embedded_error, read_error, token_count
from .encoding import encoded

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "accept": "application/json",
}


def build_request(request: EmbeddingRequest, *, model: str, row: Provider) -> HttpRequest:
    """The request as it goes out. Base64 is asked for only where the host is known to have it."""
    inputs = list(request.inputs)
    is_one_text = len(inputs) == 1 and isinstance(inputs[0], str)
    body: dict[str, Any] = {
        **request.options,
        "model": model,
        "input": inputs[0] if is_one_text else inputs,
    }
    if request.dimensions is not None:
        body[row.dimensions_field] = request.dimensions
    if request.encoding == "base64" and row.embeds_base64:
        body["encoding_format"] = "base64"
    return HttpRequest("/embeddings", HEADERS, encoded(body))


def read_response(body: Any) -> EmbeddingResponse:
    """The vectors in the order of their inputs; raises UnusableAnswer for a body that is none."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    if body.get("error"):
        raise embedded_error(body["error"])
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(each, Mapping) for each in data):
        raise UnusableAnswer("the provider's answer has no embeddings")
    return EmbeddingResponse(
        model=str(body.get("model") or ""),
        vectors=[checked(each.get("embedding")) for each in _ordered(data)],
        usage=read_usage(body.get("usage")),
    )


def _ordered(data: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By index; as they came where no entry has one."""
    by_index = {each["index"]: each for each in data if type(each.get("index")) is int}
    if not by_index:
        return data
    if len(by_index) != len(data) or by_index.keys() != set(range(len(data))):
        raise UnusableAnswer("the embeddings of the provider's answer are not each input's")
    return [by_index[at] for at in range(len(data))]


def read_usage(raw: Any) -> Usage | None:
    """Input tokens; a total alone will do, for there is no output. None for what cannot be."""
    if not isinstance(raw, Mapping):
        return None
    given = raw.get("prompt_tokens")
    given = raw.get("total_tokens") if given is None else given
    count = None if given is None else token_count(given)
    return None if count is None else Usage(input_tokens=count)


__all__ = ["build_request", "read_error", "read_response", "read_usage"]
