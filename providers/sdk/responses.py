"""`responses` and `aresponses`: OpenAI's Responses API, of every provider.

Where a host has that API, documents and events keep its own shape; `responding.py` asks all others
by their chat. https://platform.openai.com/docs/api-reference/responses, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ..errors import BadRequest, ProviderError
from ..pricing import PriceUnknown
from ..types import ChatRequest, Usage
from . import exchange
from .asking import Asking, begin_document, hidden, problem
from .callbacks import tell, tell_from_loop
from .drivers import AsyncDriver, SyncDriver
from .exchange import Begun, Posted, Ready, Steps
from .record import Record, record
from .responding import TERMINAL, Events, Responding, WrittenEvents, checked
from .results import Answer, Hidden


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

    Raises the exceptions of `exceptions.py`; UnsupportedParamsError for what a provider cannot say.
    """
    asking = _asking("responses", model, {**options, "input": input, "stream": stream})
    driver, responding = SyncDriver(asking.call.client), Responding()
    tell(asking.before())
    try:
        if stream:
            return ResponsesStream(asking, driver.run(_opening(asking, responding)), driver)
        posted = driver.run(exchange.run(asking.call, exchange.posting, responding.build))
        made = _whole(asking, posted, *responding.read(posted.document))
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
    driver, responding = AsyncDriver(asking.call.client), Responding()
    await tell_from_loop(asking.before())
    try:
        if stream:
            return AsyncResponsesStream(
                asking, await driver.run(_opening(asking, responding)), driver
            )
        posted = await driver.run(exchange.run(asking.call, exchange.posting, responding.build))
        made = _whole(asking, posted, *responding.read(posted.document))
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


def _opening(asking: Asking, responding: Responding) -> Steps[Begun]:
    def attempt(ready: Ready) -> Steps[Begun]:
        return exchange.begin(ready, responding.reader())

    return exchange.run(asking.call, attempt, responding.build)


def _whole(
    asking: Asking, outcome: Posted | Begun, document: Mapping[str, Any], usage: Usage | None
) -> ResponsesAPIResponse:
    made = ResponsesAPIResponse(**{str(k): record(v) for k, v in document.items()})
    known = hidden(asking, outcome, usage or Usage(), str(document.get("model") or ""))
    made._hidden_params = known if usage is not None else Hidden(_without_usage, **known)
    made.response_ms = asking.milliseconds()
    return made


def _without_usage() -> int:
    raise PriceUnknown("the answer says no usage")


class ResponsesEvents:
    """What both kinds of stream share; `response` is the whole answer at the end."""

    def __init__(self, asking: Asking, begun: Begun) -> None:
        self._asking, self._begun = asking, begun
        assert isinstance(begun.reading, Events | WrittenEvents)
        self._reading = begun.reading
        self._waiting: list[Any] = list(begun.chunks)
        self._is_over = False
        self.response: ResponsesAPIResponse | None = None

    def _next(self) -> Record:
        document = self._waiting.pop(0)
        if document.get("type") in TERMINAL:
            whole = checked(document.get("response"))
            self.response = _whole(self._asking, self._begun, whole, self._reading.usage)
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
                self._waiting = self._reading.feed(self._driver.more())
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
                self._waiting = self._reading.feed(await self._driver.more())
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
