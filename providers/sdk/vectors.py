"""`embedding` and `aembedding`: texts into vectors, by the dialects of `providers/embeddings`."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from .. import embeddings
from ..embeddings import client as embedder
from ..errors import BadRequest
from ..routing import Target
from ..types import ChatRequest, HttpRequest, Native
from ..types import Usage as Tokens
from . import exchange
from .arguments import Call
from .asking import Asking, begin_document, hidden, problem
from .callbacks import tell, tell_from_loop
from .drivers import AsyncDriver, SyncDriver
from .exchange import Posted
from .record import Record
from .results import Answer, Usage, usage_of

DIALECT = "embeddings"


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


def embedding(model: str, input: Any = None, **options: Any) -> EmbeddingResponse:
    """Vectors of a text or of a list of texts (or of token ids), in their order.

    `options` are OpenAI's (`dimensions`, `encoding_format`, `user`), those of the provider and the
    arguments of `arguments.py`. Raises the exceptions of `exceptions.py`.
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
    """An embeddings request, carried by what a `Call` carries; raises BadRequest."""
    if not isinstance(body, Mapping):
        raise BadRequest("The body must be an object.")
    asked = embeddings.parse_request({k: v for k, v in body.items() if k != "messages"})
    return ChatRequest(asked.model, (), options=asked.options, native=Native(DIALECT, asked))


def _asked(request: ChatRequest) -> embeddings.EmbeddingRequest:
    assert request.native is not None
    found: embeddings.EmbeddingRequest = request.native.said
    return found


def steps(asking: Asking) -> Generator[exchange.Step, Any, Posted]:
    return exchange.run(asking.call, exchange.posting, _build)


def _build(call: Call, target: Target) -> tuple[HttpRequest, list[str]]:
    built = embedder.build(_asked(call.request), target)
    return built, exchange.allowed(call, target, [*call.unsaid, *built.dropped])


def read(asking: Asking, posted: Posted) -> EmbeddingResponse:
    """What `embedding` gives back; raises UnusableAnswer for anything but a vector for each."""
    asked = _asked(asking.call.request)
    found = embedder.read(posted.document, asked, posted.ready.target)
    is_counted = found.usage is None or found.usage.input_tokens == 0
    tokens = Tokens(embeddings.count_input(asked).tokens) if is_counted else found.usage
    assert tokens is not None
    document = embeddings.write_response(found, asked.encoding, tokens)
    made = EmbeddingResponse(
        object="list",
        model=document["model"],
        data=[Embedding(**each) for each in document["data"]],
        usage=usage_of(tokens),
    )
    made._hidden_params = hidden(asking, posted, tokens, made.model)
    made._hidden_params["usage_is_counted"] = is_counted
    made.response_ms = asking.milliseconds()
    return made
