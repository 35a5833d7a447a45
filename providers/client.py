"""One attempt at one target: build, then send and read. Whole and streamed, for every dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from .dialects import anthropic_messages, openai_chat, openai_responses
from .errors import ConnectionLost, UnusableAnswer
from .routing import Target
from .sse import SseSplitter
from .transport import Sender
from .types import ChatChunk, ChatRequest, ChatResponse, HttpRequest

DIALECTS: dict[str, Any] = {
    "openai_chat": openai_chat,
    "anthropic_messages": anthropic_messages,
    "openai_responses": openai_responses,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an attempt may take: to a stream's first byte, to a whole answer, and in all."""

    first_byte_seconds: float = 60.0
    answer_seconds: float = 300.0
    total_seconds: float = 600.0


def build(request: ChatRequest, target: Target) -> HttpRequest:
    """The HTTP request for this target; raises BadRequest where it cannot be said there."""
    dialect, left_out = target.provider.dialect, tuple[str, ...]()
    if dialect != "openai_responses":
        request, left_out = openai_responses.plain(request, dialect)
    built: HttpRequest = DIALECTS[dialect].build_request(
        request, model=target.model, cap_field=target.provider.cap_field
    )
    return replace(built, dropped=(*built.dropped, *left_out)) if left_out else built


async def complete(
    built: HttpRequest, target: Target, transport: Sender, limits: Limits, attempt: str
) -> ChatResponse:
    """Ask for a whole answer; raises the errors of `errors.py`."""
    dialect = DIALECTS[target.provider.dialect]
    async with _send(built, target, transport, limits, limits.answer_seconds, attempt) as answer:
        body = await answer.body()
        if answer.status != 200:
            raise dialect.read_error(answer.status, answer.headers, body)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnusableAnswer("the provider's answer is not JSON") from error
    response: ChatResponse = dialect.read_response(document)
    return response


async def stream(
    built: HttpRequest, target: Target, transport: Sender, limits: Limits, attempt: str
) -> AsyncGenerator[ChatChunk]:
    """Ask for a streamed answer; raises ConnectionLost if it ends without the provider's end."""
    dialect = DIALECTS[target.provider.dialect]
    async with _send(
        built, target, transport, limits, limits.first_byte_seconds, attempt
    ) as answer:
        if answer.status != 200:
            raise dialect.read_error(answer.status, answer.headers, await answer.body())
        if "event-stream" not in answer.headers.get("content-type", ""):
            raise UnusableAnswer("the provider's answer is not an event stream")
        reader, splitter = dialect.StreamReader(), SseSplitter()
        async for data in answer.chunks:
            for event in splitter.feed(data):
                for chunk in reader.feed(event):
                    yield chunk
                    if chunk.is_last:
                        return
        raise ConnectionLost("the provider ended the stream before its end")


def _send(
    built: HttpRequest,
    target: Target,
    transport: Sender,
    limits: Limits,
    first_byte_seconds: float,
    attempt: str,
) -> Any:
    headers = {
        **built.headers,
        **target.provider.headers(target.api_key),
        "x-tollgate-attempt": attempt,
    }
    return transport.send(
        target.base_url + built.path,
        headers=headers,
        body=built.body,
        first_byte_seconds=first_byte_seconds,
        total_seconds=limits.total_seconds,
    )
