"""A caller's embeddings request, checked field by field before anything is done with it.

https://platform.openai.com/docs/api-reference/embeddings/create, 2026-11: at most 2,048 inputs,
none empty, a text or tokens or a list of either, and not mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dialects.openai_request import FORBIDDEN, INTEGER_MAX, MODEL, NAME
from ..errors import BadRequest
from .types import EmbeddingRequest, Encoding, Input

INPUTS_MAX = 2_048
TOKENS_MAX = 300_000  # of all inputs that come as tokens, as OpenAI bounds a request
TOKEN_MAX = 2**20
DIMENSIONS_MAX = 65_536
OWN = frozenset({"model", "input", "dimensions", "encoding_format", "provider"})


def parse_request(body: object) -> EmbeddingRequest:
    """The request in canonical form; raises BadRequest that names the parameter."""
    if not isinstance(body, Mapping):
        raise BadRequest("The body must be a JSON object.")
    for name in sorted(FORBIDDEN.intersection(body)):
        raise BadRequest(f"Unknown parameter: {name}.", param=name, code="unknown_parameter")
    if body.get("stream"):
        raise BadRequest("Embeddings cannot be streamed.", param="stream")
    options = {name: value for name, value in body.items() if name not in OWN and value is not None}
    for name, value in options.items():
        if isinstance(value, int) and abs(value) > INTEGER_MAX:
            raise BadRequest(f"{name} is too large.", param=name)
    options.pop("stream", None)
    return EmbeddingRequest(
        model=_model(body.get("model")),
        inputs=_inputs(body.get("input")),
        dimensions=_dimensions(body.get("dimensions")),
        encoding=_encoding(body.get("encoding_format")),
        provider=_provider(body.get("provider")),
        options=options,
    )


def _model(model: Any) -> str:
    if not isinstance(model, str) or not model:
        raise BadRequest("You must provide a model.", param="model")
    if not MODEL.fullmatch(model) or ".." in model:
        raise BadRequest(
            "The model does not exist.", param="model", code="model_not_found", status=404
        )
    return model


def _provider(provider: Any) -> str | None:
    if provider is None or provider == "auto":
        return None
    if not isinstance(provider, str) or not NAME.fullmatch(provider):
        raise BadRequest("provider must name a provider, or be auto.", param="provider")
    return provider


def _encoding(encoding: Any) -> Encoding:
    if encoding is None or encoding == "float":
        return "float"
    if encoding == "base64":
        return "base64"
    raise BadRequest("encoding_format must be float or base64.", param="encoding_format")


def _dimensions(dimensions: Any) -> int | None:
    if dimensions is None:
        return None
    if type(dimensions) is not int or not 0 < dimensions <= DIMENSIONS_MAX:
        raise BadRequest("dimensions must be a whole number from 1.", param="dimensions")
    return dimensions


def _inputs(value: Any) -> Sequence[Input]:
    """Always a list: of texts, or of lists of tokens."""
    if isinstance(value, str):
        return _texts([value])
    if not isinstance(value, list) or not value:
        raise BadRequest("input must be a text, tokens, or a list of either.", param="input")
    if _is_token(value[0]):
        return [_tokens(value, "input")]
    if len(value) > INPUTS_MAX:
        raise BadRequest(f"input must have at most {INPUTS_MAX} entries.", param="input")
    if isinstance(value[0], str):
        return _texts(value)
    inputs = [_tokens(each, f"input.{at}") for at, each in enumerate(value)]
    if sum(map(len, inputs)) > TOKENS_MAX:
        raise BadRequest(f"input must have at most {TOKENS_MAX} tokens.", param="input")
    return inputs


def _texts(values: list[Any]) -> list[str]:
    for at, value in enumerate(values):
        where = f"input.{at}" if len(values) > 1 else "input"
        if not isinstance(value, str):
            raise BadRequest(f"{where} must be a text, as the first one is.", param=where)
        if not value:
            raise BadRequest(f"{where} must not be empty.", param=where)
    return values


def _tokens(value: Any, where: str) -> list[int]:
    if not isinstance(value, list) or not 0 < len(value) <= TOKENS_MAX:
        raise BadRequest(f"{where} must be a text or a list of tokens.", param=where)
    if not all(_is_token(each) for each in value):
        raise BadRequest(f"{where} must hold whole numbers from 0.", param=where)
    return value


def _is_token(value: Any) -> bool:
    return type(value) is int and 0 <= value <= TOKEN_MAX
