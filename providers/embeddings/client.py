"""One attempt at one target: build, then send and read. The embeddings' half of `client.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..catalog import Provider
from ..client import Limits, ask
from ..dialects import gemini_embeddings, openai_embeddings
from ..dialects.cohere import embeddings as cohere_embeddings
from ..errors import Unsupported, UnusableAnswer
from ..routing import Target
from ..sender import Sender
from ..types import HttpRequest
from .types import EmbeddingRequest, EmbeddingResponse

EMBEDDING_DIALECTS: dict[str, Any] = {
    "openai_chat": openai_embeddings,
    "gemini": gemini_embeddings,
    "cohere": cohere_embeddings,
}
"""By the dialect of the provider's row; a row of another dialect has no embeddings."""


def can_embed(provider: Provider) -> bool:
    """Whether this row's dialect has embeddings; a host of that dialect may still have none."""
    return provider.dialect in EMBEDDING_DIALECTS


def build(request: EmbeddingRequest, target: Target) -> HttpRequest:
    """The HTTP request for this target; raises BadRequest where it cannot be said there."""
    dialect = EMBEDDING_DIALECTS.get(target.provider.dialect)
    if dialect is None:
        raise Unsupported("This provider has no embeddings.", param="model")
    built: HttpRequest = dialect.build_request(request, model=target.model, row=target.provider)
    return built


async def embed(
    request: EmbeddingRequest,
    built: HttpRequest,
    target: Target,
    transport: Sender,
    limits: Limits,
    attempt: str,
) -> EmbeddingResponse:
    """Ask for the vectors; raises the errors of `errors.py`."""
    dialect = EMBEDDING_DIALECTS[target.provider.dialect]
    document = await ask(built, target, transport, limits, attempt, dialect.read_error)
    return read(document, request, target)


def read(document: Any, request: EmbeddingRequest, target: Target) -> EmbeddingResponse:
    """The vectors of an answer; raises UnusableAnswer unless there is one for each input."""
    dialect = EMBEDDING_DIALECTS[target.provider.dialect]
    response: EmbeddingResponse = dialect.read_response(document)
    if len(response.vectors) != len(request.inputs):
        raise UnusableAnswer(
            f"the provider sent {len(response.vectors)} vectors for {len(request.inputs)} inputs"
        )
    return response if response.model else replace(response, model=target.model)
