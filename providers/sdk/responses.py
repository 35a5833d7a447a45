"""`responses` and `aresponses`: OpenAI's Responses API, passed through as it is.

Documents and events keep the provider's own shape, as records; this room knows only where a stream
ends and where usage stands. https://platform.openai.com/docs/api-reference/responses, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import orjson

from ..dialects.answers import read_error_object, token_counts
from ..dialects.openai_chat import HEADERS
from ..errors import (
    BadRequest,
    ConnectionLost,
    ProviderError,
    StreamError,
    Unsupported,
    UnusableAnswer,
)
from ..pricing import PriceUnknown
from ..routing import Target
from ..sse import SseSplitter
from ..types import ChatRequest, HttpRequest, Usage
from . import exchange
from .arguments import Call
from .asking import Asking, begin_document, hidden, problem
from .callbacks import tell, tell_from_loop
from .drivers import AsyncDriver, SyncDriver
from .exchange import Begun, Posted, Ready, Steps
from .record import Record, record
from .results import Answer, Hidden

DIALECT = "openai_chat"
TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})


class ResponsesAPIResponse(Answer):
    """A Response object, every field as the provider wrote it."""

    id: str
    status: str
    output: list[Any]
    usage: Any = None

    @property
    def output_text(self) -> str:
        """All texts of all messages, joined."""
        return "".join(
            part.text
            for item in self.output
            if item.get("type") == "message"
            for part in item.get("content") or ()
            if part.get("type") == "output_text"
        )


def responses(
    input: Any, model: str, *, stream: bool = False, **options: Any
) -> ResponsesAPIResponse | ResponsesStream:
    """Ask by the Responses API. `input` is a text or a list of items.

    Raises the exceptions of `exceptions.py`; UnsupportedParamsError for a provider without it.
    """
    asking = _asking("responses", model, {**options, "input": input, "stream": stream})
    driver = SyncDriver(asking.call.client)
    tell(asking.before())
    try:
        if stream:
            return ResponsesStream(asking, driver.run(_opening(asking)), driver)
        posted = driver.run(exchange.run(asking.call, exchange.posting, _build))
        made = _whole(asking, posted, posted.document)
    except Exception as error:
        driver.close()
        failure = problem(asking, error)
        tell(asking.failed(failure))
        raise failure from failure.__cause__
    tell(asking.succeeded(made, posted.ready))
    return made


async def aresponses(
    input: Any, model: str, *, stream: bool = False, **options: Any
) -> ResponsesAPIResponse | AsyncResponsesStream:
    """`responses` for a loop."""
    asking = _asking("aresponses", model, {**options, "input": input, "stream": stream})
    driver = AsyncDriver(asking.call.client)
    await tell_from_loop(asking.before())
    try:
        if stream:
            return AsyncResponsesStream(asking, await driver.run(_opening(asking)), driver)
        posted = await driver.run(exchange.run(asking.call, exchange.posting, _build))
        made = _whole(asking, posted, posted.document)
    except Exception as error:
        await driver.close()
        failure = problem(asking, error)
        await tell_from_loop(asking.failed(failure))
        raise failure from failure.__cause__
    await tell_from_loop(asking.succeeded(made, posted.ready))
    return made


def _asking(kind: str, model: str, options: Mapping[str, Any]) -> Asking:
    return begin_document(kind, model, _parse, options)


def _parse(body: object) -> ChatRequest:
    assert isinstance(body, Mapping)
    if not isinstance(body.get("input"), str | list) or not body["input"]:
        raise BadRequest("input must be a text or a list of items.", param="input")
    options = {k: v for k, v in body.items() if k not in {"model", "messages", "stream"}}
    return ChatRequest(str(body["model"]), (), stream=bool(body.get("stream")), options=options)


def _build(call: Call, target: Target) -> tuple[HttpRequest, list[str]]:
    if target.provider.dialect != DIALECT:
        raise Unsupported(f"{target.provider.name} has no Responses API.", param="model")
    request = call.request
    body = {**request.options, "model": target.model}
    if request.stream:
        body["stream"] = True
    accept = "text/event-stream" if request.stream else "application/json"
    built = HttpRequest("/responses", {**HEADERS, "accept": accept}, orjson.dumps(body))
    return built, exchange.allowed(call, target, list(call.unsaid))


def _opening(asking: Asking) -> Steps[Begun]:
    def attempt(ready: Ready) -> Steps[Begun]:
        return exchange.begin(ready, Events())

    return exchange.run(asking.call, attempt, _build)


def _whole(asking: Asking, outcome: Posted | Begun, document: Any) -> ResponsesAPIResponse:
    if not isinstance(document, Mapping) or not isinstance(document.get("output"), list):
        raise UnusableAnswer("the provider's answer has no output")
    made = ResponsesAPIResponse(**{str(k): record(v) for k, v in document.items()})
    tokens = read_usage(document.get("usage"))
    known = hidden(asking, outcome, tokens or Usage(), str(document.get("model") or ""))
    made._hidden_params = known if tokens is not None else Hidden(_without_usage, **known)
    made.response_ms = asking.milliseconds()
    return made


def _without_usage() -> int:
    raise PriceUnknown("the answer says no usage")


def read_usage(raw: Any) -> Usage | None:
    """Usage in our terms; None where it is absent or absurd."""
    if not isinstance(raw, Mapping) or raw.get("input_tokens") is None:
        return None
    given, said = raw.get("input_tokens_details"), raw.get("output_tokens_details")
    given = given if isinstance(given, Mapping) else {}
    said = said if isinstance(said, Mapping) else {}
    counts = token_counts(
        raw.get("input_tokens"),
        raw.get("output_tokens"),
        given.get("cached_tokens"),
        given.get("cache_write_tokens"),
        said.get("reasoning_tokens"),
    )
    if counts is None:
        return None
    input_tokens, output_tokens, read, written, reasoning = counts
    if read + written > input_tokens:
        return None
    return Usage(input_tokens, output_tokens, read, written, reasoning_tokens=reasoning)


class Events:
    """Bytes into events; the terminal one holds the whole response."""

    def __init__(self) -> None:
        self._splitter = SseSplitter()
        self.has_ended = False

    def feed(self, data: bytes) -> list[Any]:
        """Raises StreamError for an error event, ConnectionLost without a terminal one."""
        found: list[Any] = []
        for event in self._splitter.feed(data) if data else self._splitter.close():
            document = self._document(event.data)
            if document is not None and not self.has_ended:
                found.append(document)
                self.has_ended = document.get("type") in TERMINAL
        if not data and not self.has_ended:
            raise ConnectionLost("the provider ended the stream before its end")
        return found

    def _document(self, text: str) -> dict[str, Any] | None:
        if text.startswith("[DONE]"):
            return None
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if not isinstance(document, dict):
            raise StreamError("an event of the stream is not an object")
        if document.get("type") == "error" or document.get("error"):
            message, code, _ = read_error_object(document.get("error") or document)
            raise StreamError(message or "the provider reported an error", code=code)
        return document


class ResponsesEvents:
    """What both kinds of stream share; `response` is the whole answer at the end."""

    def __init__(self, asking: Asking, begun: Begun) -> None:
        self._asking, self._begun = asking, begun
        self._waiting: list[Any] = list(begun.chunks)
        self._is_over = False
        self.response: ResponsesAPIResponse | None = None

    def _next(self) -> Record:
        document = self._waiting.pop(0)
        if document.get("type") in TERMINAL:
            self.response = _whole(self._asking, self._begun, document.get("response"))
        event: Record = record(document)
        return event

    def _failure(self, error: Exception) -> Exception:
        self._is_over = True
        return problem(self._asking, error, self._begun.ready)


class ResponsesStream(ResponsesEvents):
    """For a thread: iterate over events, or `close()` to hang up."""

    def __init__(self, asking: Asking, begun: Begun, driver: SyncDriver) -> None:
        super().__init__(asking, begun)
        self._driver = driver

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        if self._is_over or (self.response is not None and not self._waiting):
            self._end()
            raise StopIteration
        try:
            while not self._waiting:
                self._waiting = self._begun.reading.feed(self._driver.more())
            return self._next()
        except ProviderError as error:
            self._driver.close()
            failure = self._failure(error)
            tell(self._asking.failed(failure))
            raise failure from error

    def _end(self) -> None:
        if not self._is_over and self.response is not None:
            self._is_over = True
            self._driver.drain()
            tell(self._asking.succeeded(self.response, self._begun.ready))

    def close(self) -> None:
        self._is_over = True
        self._driver.close()


class AsyncResponsesStream(ResponsesEvents):
    """For a loop: iterate over events, or `aclose()` to hang up."""

    def __init__(self, asking: Asking, begun: Begun, driver: AsyncDriver) -> None:
        super().__init__(asking, begun)
        self._driver = driver

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Record:
        if self._is_over or (self.response is not None and not self._waiting):
            await self._end()
            raise StopAsyncIteration
        try:
            while not self._waiting:
                self._waiting = self._begun.reading.feed(await self._driver.more())
            return self._next()
        except ProviderError as error:
            await self._driver.close()
            failure = self._failure(error)
            await tell_from_loop(self._asking.failed(failure))
            raise failure from error

    async def _end(self) -> None:
        if not self._is_over and self.response is not None:
            self._is_over = True
            await self._driver.drain()
            await tell_from_loop(self._asking.succeeded(self.response, self._begun.ready))

    async def aclose(self) -> None:
        self._is_over = True
        await self._driver.close()
