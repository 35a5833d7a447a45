"""One attempt at one target: build, then send and read. Whole and streamed, for every dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from .dialects import anthropic_messages, cohere, gemini, openai_chat, openai_responses
from .errors import ConnectionLost, ProviderError, UnusableAnswer
from .routing import Target
from .sender import Sender
from .sse import EVENT_END, SseSplitter
from .types import ChatChunk, ChatRequest, ChatResponse, HttpRequest

Taker = Callable[[ChatChunk], bool]
"""Takes a chunk at once, or says no and finds it among the next ones. It must not raise."""
ErrorReader = Callable[[int, Mapping[str, str], bytes], ProviderError]
DIALECTS: dict[str, Any] = {
    "openai_chat": openai_chat,
    "anthropic_messages": anthropic_messages,
    "openai_responses": openai_responses,
    "gemini": gemini,
    "cohere": cohere,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an attempt may take: to a stream's first byte, to a whole answer, and in all."""

    first_byte_seconds: float = 60.0
    answer_seconds: float = 300.0
    total_seconds: float = 600.0


def build(request: ChatRequest, target: Target) -> HttpRequest:
    """The HTTP request for this target; raises BadRequest where it cannot be said there."""
    row, left_out = target.provider, tuple[str, ...]()
    if row.dialect != "openai_responses":
        request, left_out = openai_responses.plain(request, row.dialect)
    quirks = (
        {}
        if row.dialect != "openai_chat"
        else {
            "takes_stream_options": row.takes_stream_options,
            "reads_reasoning": row.reads_reasoning,
        }
    )
    built: HttpRequest = DIALECTS[row.dialect].build_request(
        request, model=target.model, cap_field=row.cap_field, **quirks
    )
    return replace(built, dropped=(*built.dropped, *left_out)) if left_out else built


async def complete(
    built: HttpRequest, target: Target, transport: Sender, limits: Limits, attempt: str
) -> ChatResponse:
    """Ask for a whole answer; raises the errors of `errors.py`."""
    dialect = DIALECTS[target.provider.dialect]
    document = await ask(built, target, transport, limits, attempt, dialect.read_error)
    response: ChatResponse = dialect.read_response(document)
    return response if response.model else replace(response, model=target.model)


async def ask(
    built: HttpRequest,
    target: Target,
    transport: Sender,
    limits: Limits,
    attempt: str,
    read_error: ErrorReader,
) -> Any:
    """The JSON document of a whole answer, of any kind; raises the errors of `errors.py`."""
    async with _send(built, target, transport, limits, limits.answer_seconds, attempt) as answer:
        body = await answer.body()
        if answer.status != 200:
            raise read_error(answer.status, answer.headers, body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnusableAnswer("the provider's answer is not JSON") from error


async def stream(
    built: HttpRequest,
    target: Target,
    transport: Sender,
    limits: Limits,
    attempt: str,
    taker: Taker | None = None,
) -> AsyncGenerator[list[ChatChunk]]:
    """Ask for a streamed answer; yields what came together, never an empty list.

    While the next is waited for, `taker` is asked first to take an event that says what the one
    before it said but for its text, as nearly all do: it comes past the loop, the tasks and the
    generators between. For that the transport must have a tap, as `lean_transport.py`'s has.

    Raises ConnectionLost if the stream ends without the provider's end, and whatever is raised
    comes after the chunks before it.
    """
    dialect = DIALECTS[target.provider.dialect]
    async with _send(
        built, target, transport, limits, limits.first_byte_seconds, attempt
    ) as answer:
        if answer.status != 200:
            raise dialect.read_error(answer.status, answer.headers, await answer.body())
        if "event-stream" not in answer.headers.get("content-type", ""):
            raise UnusableAnswer("the provider's answer is not an event stream")
        reader, splitter = dialect.StreamReader(), SseSplitter()
        if taker is not None and hasattr(reader, "alike"):
            answer.tap(_shortcut(reader, splitter, taker))
        async for data in answer.chunks:
            chunks, error = read_data(reader, splitter, data)
            if chunks:
                yield _named(chunks, target)
            if error is not None:
                raise error
            if chunks and chunks[-1].is_last:
                return
        chunks = read_end(reader, splitter)
        if chunks:
            yield _named(chunks, target)
        if not chunks or not chunks[-1].is_last:
            raise ConnectionLost("the provider ended the stream before its end")


def _shortcut(reader: Any, splitter: SseSplitter, taker: Taker) -> Callable[[bytes], bool]:
    """Takes one whole event that is like the one before it, of a host that says its model."""

    def take(data: bytes) -> bool:
        if data.find(EVENT_END) != len(data) - len(EVENT_END) or not splitter.is_between:
            return False
        chunk: ChatChunk | None = reader.alike(data)
        return chunk is not None and chunk.model != "" and taker(chunk)

    return take


def _named(chunks: list[ChatChunk], target: Target) -> list[ChatChunk]:
    """Chunks of a host that does not say its model get the name that it was asked for."""
    if "" not in [chunk.model for chunk in chunks]:
        return chunks
    return [each if each.model else replace(each, model=target.model) for each in chunks]


def read_data(
    reader: Any, splitter: SseSplitter, data: bytes
) -> tuple[list[ChatChunk], ProviderError | None]:
    """Chunks up to the last one, or up to the event that is an error.

    A dialect's reader may have `alike(data) -> ChatChunk | None`, for a whole event as it came.
    """
    chunks: list[ChatChunk] = []
    alike, pieces = getattr(reader, "alike", None), [data]
    if alike is None or not data.endswith(EVENT_END) or not splitter.is_between:
        alike = _unlike
    else:
        pieces = [each + EVENT_END for each in data[: -len(EVENT_END)].split(EVENT_END)]
    try:
        for piece in pieces:
            chunk = alike(piece)
            if chunk is not None:
                chunks.append(chunk)
                continue
            for event in splitter.feed(piece):
                chunks += reader.feed(event)
    except ProviderError as error:
        return chunks, error
    return chunks, None


def _unlike(data: bytes) -> None:
    """Of no event it is known what the one before it was."""


def read_end(reader: Any, splitter: SseSplitter) -> list[ChatChunk]:
    """What the end of the bytes completes, in a dialect that has no event for its end.

    Such a dialect's reader has `close() -> list[ChatChunk]`: the last chunks where the answer is
    whole, nothing where it was cut. The other dialects' streams end with their own event only.
    """
    close = getattr(reader, "close", None)
    if close is None:
        return []
    chunks = [chunk for event in splitter.close() for chunk in reader.feed(event)]
    return [*chunks, *close()]


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
