"""`embedding` and `aembedding`: texts into vectors.

A wire is a module or object with `build_request(request, *, model) -> HttpRequest`, where
`request.options["input"]` holds the texts, and `read_response(document) -> EmbeddingResponse`.
https://platform.openai.com/docs/api-reference/embeddings, 2026-11.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Protocol

import orjson

from ..dialects.openai_chat import HEADERS
from ..errors import BadRequest, Unsupported, UnusableAnswer
from ..routing import Target
from ..types import ChatRequest, HttpRequest
from ..types import Usage as Tokens
from . import exchange
from .arguments import Call
from .asking import Asking, begin_document, hidden, problem
from .callbacks import tell, tell_from_loop
from .counting import token_counter
from .drivers import AsyncDriver, SyncDriver
from .exchange import Posted
from .record import Record
from .results import Answer, Usage, usage_of

INPUTS_MAX = 100_000


class Embedding(Record):
    """One vector: a list of floats, or base64 where that was asked for."""

    object: str
    index: int
    embedding: list[float] | str


class EmbeddingResponse(Answer):
    object: str
    model: str
    data: list[Embedding]
    usage: Usage


class Wire(Protocol):
    def build_request(self, request: ChatRequest, *, model: str) -> HttpRequest: ...

    def read_response(self, document: Any) -> EmbeddingResponse: ...


class OpenAIWire:
    """`POST /embeddings`, as OpenAI and the hosts that speak like it have it."""

    def build_request(self, request: ChatRequest, *, model: str) -> HttpRequest:
        body = orjson.dumps({**request.options, "model": model})
        return HttpRequest("/embeddings", {**HEADERS, "accept": "application/json"}, body)

    def read_response(self, document: Any) -> EmbeddingResponse:
        """Raises UnusableAnswer for a body that holds no vectors."""
        data = document.get("data") if isinstance(document, Mapping) else None
        if not isinstance(data, list) or not all(_is_vector(each) for each in data):
            raise UnusableAnswer("the provider's answer has no embeddings")
        usage = document.get("usage")
        count = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
        tokens = Tokens(count if isinstance(count, int) and count >= 0 else 0)
        return EmbeddingResponse(
            object="list",
            model=str(document.get("model") or ""),
            data=[Embedding(**each) for each in data],
            usage=usage_of(tokens),
        )


def _is_vector(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("embedding"), list | str)


WIRES: dict[str, Wire] = {"openai_chat": OpenAIWire()}
"""By the provider's dialect."""


def embedding(model: str, input: Any = None, **options: Any) -> EmbeddingResponse:
    """Vectors of a text or of a list of texts (or of token ids), in their order.

    `options` are OpenAI's (`dimensions`, `encoding_format`, `user`) and the arguments of
    `arguments.py`. Raises the exceptions of `exceptions.py`.
    """
    asking = begin_document("embedding", model, parse, {**options, "input": input})
    driver = SyncDriver(asking.call.client)
    tell(asking.before())
    try:
        posted = driver.run(steps(asking))
        made = read(asking, posted)
    except Exception as error:
        failure = problem(asking, error)
        tell(asking.failed(failure))
        raise failure from failure.__cause__
    tell(asking.succeeded(made, posted.ready))
    return made


async def aembedding(model: str, input: Any = None, **options: Any) -> EmbeddingResponse:
    """`embedding` for a loop."""
    asking = begin_document("aembedding", model, parse, {**options, "input": input})
    driver = AsyncDriver(asking.call.client)
    await tell_from_loop(asking.before())
    try:
        posted = await driver.run(steps(asking))
        made = read(asking, posted)
    except Exception as error:
        failure = problem(asking, error)
        await tell_from_loop(asking.failed(failure))
        raise failure from failure.__cause__
    await tell_from_loop(asking.succeeded(made, posted.ready))
    return made


def parse(body: object) -> ChatRequest:
    """Texts, lists of token ids, or lists of either."""
    assert isinstance(body, Mapping)
    given = body.get("input")
    texts = given if isinstance(given, list) else [given]
    if not 0 < len(texts) <= INPUTS_MAX or not all(_is_input(each) for each in texts):
        raise BadRequest("input must be a text or a list of texts.", param="input")
    options = {k: v for k, v in body.items() if k not in {"model", "messages", "stream"}}
    return ChatRequest(str(body["model"]), (), options=options)


def _is_input(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_token(each) for each in value)
    return _is_token(value) or (isinstance(value, str) and bool(value))


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def steps(asking: Asking) -> Generator[exchange.Step, Any, Posted]:
    return exchange.run(asking.call, exchange.posting, _build)


def _build(call: Call, target: Target) -> tuple[HttpRequest, list[str]]:
    wire = WIRES.get(target.provider.dialect)
    if wire is None:
        raise Unsupported(f"{target.provider.name} gives no embeddings here.", param="model")
    built = wire.build_request(call.request, model=target.model)
    return built, exchange.allowed(call, target, [*call.unsaid, *built.dropped])


def read(asking: Asking, posted: Posted) -> EmbeddingResponse:
    """What `embedding` gives back."""
    made = WIRES[posted.ready.target.provider.dialect].read_response(posted.document)
    tokens = Tokens(made.usage.prompt_tokens)
    is_counted = tokens.input_tokens == 0
    if is_counted:
        tokens = Tokens(_count(asking.call.request))
        made.usage = usage_of(tokens)
    made._hidden_params = hidden(asking, posted, tokens, made.model)
    made._hidden_params["usage_is_counted"] = is_counted
    made.response_ms = asking.milliseconds()
    return made


def _count(request: ChatRequest) -> int:
    """Tokens of the input, where the provider did not say them."""
    given = request.options["input"]
    parts = given if isinstance(given, list) else [given]
    texts = [part for part in parts if isinstance(part, str)]
    ids = sum(len(part) if isinstance(part, list) else 1 for part in parts) - len(texts)
    return token_counter(request.model, text=texts) + ids
