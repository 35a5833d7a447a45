"""A stream as it is given to the caller: an iterator of chunks that can be closed.

At its end `usage`, `cost_nanos` and `_hidden_params["response_cost"]` are known. Where the provider
says no usage, or the caller closes early, tokens are counted and `usage_is_counted` says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from ..errors import ProviderError, StreamError
from ..types import ChatChunk, ChatResponse, Usage
from . import results
from .asking import Asking, hidden, problem
from .callbacks import tell, tell_from_loop
from .drivers import AsyncDriver, SyncDriver
from .exchange import Begun
from .gathering import count_usage, gather_choices
from .results import Hidden, ModelResponse, ModelResponseStream

REPEATED_CHUNKS_MAX = 100  # as LiteLLM's REPEATED_STREAMING_CHUNK_LIMIT
REPEATED_LETTERS_MIN = 3


class Watcher(Protocol):
    """Who wants to know how a stream ends; `decision` is how it came to be."""

    @property
    def decision(self) -> Any: ...

    def succeeded(self, usage: results.Usage) -> None: ...

    def failed(self, error: ProviderError) -> None: ...

    def abandoned(self) -> None: ...


class CustomStreamWrapper:
    """What both kinds of stream share; it does no I/O."""

    def __init__(self, asking: Asking, begun: Begun) -> None:
        self._asking = asking
        self._begun = begun
        self._reading = begun.reading
        self._waiting: deque[ModelResponseStream] = deque()
        self._pieces: list[Any] = []
        self._tokens: Usage | None = None
        self._reported = ("", "", 0)
        self._last_text, self._repeats = "", 0
        self._whole: ModelResponse | None = None
        self._is_over = False
        self._watcher: Watcher | None = None
        self._hidden_params = hidden(asking, begun, Usage(), "")
        self._hidden_params["response_cost"] = None
        self._take(begun.chunks)

    @property
    def usage(self) -> results.Usage | None:
        """Of the whole stream; None until it has ended."""
        return None if self._whole is None else self._whole.usage

    @property
    def cost_nanos(self) -> int | None:
        """Exact nano-dollars; None until the stream has ended; raises PriceUnknown."""
        return None if self._whole is None else self._whole.cost_nanos

    @property
    def response(self) -> ModelResponse | None:
        """The whole answer; None until the stream has ended."""
        return self._whole

    def watch(self, watcher: Watcher) -> None:
        """Tell a router how the stream ends, and how it came to be."""
        self._watcher = watcher
        self._hidden_params["decision"] = watcher.decision

    def _let_go(self) -> Watcher | None:
        """The watcher, who is told once."""
        watcher, self._watcher = self._watcher, None
        return watcher

    def _take(self, chunks: Sequence[ChatChunk]) -> None:
        """Chunks as the provider sent them become chunks for the caller."""
        for chunk in chunks:
            self._tokens = chunk.usage or self._tokens
            _, model, created = self._reported
            self._reported = (chunk.id, chunk.model or model, chunk.created or created)
            if not chunk.choices:
                continue
            self._pieces += chunk.choices
            self._watch_repeats(chunk.choices[0])
            piece = results.piece(chunk)
            piece._hidden_params = self._hidden_params
            self._waiting.append(piece)
        if self._reading.has_ended and self._whole is None:
            self._finish()

    def _watch_repeats(self, choice: Any) -> None:
        """A model that says one thing for ever is stopped."""
        text = (choice.get("delta") or {}).get("content") or ""
        is_same = text == self._last_text and len(text) >= REPEATED_LETTERS_MIN
        self._last_text, self._repeats = text, self._repeats + 1 if is_same else 1
        if self._repeats >= REPEATED_CHUNKS_MAX:
            raise StreamError(
                f"The model is repeating the same chunk: {text[:50]!r}", code="server_error"
            )

    def _finish(self) -> ModelResponse:
        """The whole answer from what has come, and what it costs."""
        request, (id, model, created) = self._asking.call.request, self._reported
        choices = gather_choices(self._pieces)
        tokens = self._tokens or count_usage(
            request.messages, request.options.get("tools") or (), choices, request.model
        )
        response = ChatResponse(id, model, created, choices, tokens)
        made = self._whole = results.whole(response, tokens)
        made._hidden_params = self._hidden_params = self._settled(tokens, model)
        made.response_ms = self._asking.milliseconds()
        if request.include_usage:
            last = results.piece(ChatChunk(id, model, created))
            last.usage = made.usage
            last._hidden_params = made._hidden_params
            self._waiting.append(last)
        return made

    def _settled(self, tokens: Usage, model: str) -> Hidden:
        found = hidden(self._asking, self._begun, tokens, model)
        found["usage_is_counted"] = self._tokens is None
        if self._watcher is not None:
            found["decision"] = self._watcher.decision
        return found

    def _failure(self, error: ProviderError) -> Exception:
        self._is_over = True
        if watcher := self._let_go():
            watcher.failed(error)
        return problem(self._asking, error, self._begun.ready)


class SyncStream(CustomStreamWrapper):
    """For a thread: iterate, or `close()` to hang up."""

    def __init__(self, asking: Asking, begun: Begun, driver: SyncDriver) -> None:
        self._driver = driver
        super().__init__(asking, begun)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ModelResponseStream:
        """Raises the exceptions of `exceptions.py`."""
        while not self._waiting:
            if self._is_over or self._whole is not None:
                self._end()
                raise StopIteration
            try:
                self._take(self._reading.feed(self._driver.more()))
            except ProviderError as error:
                self._driver.close()
                failure = self._failure(error)
                tell(self._asking.failed(failure))
                raise failure from error
        return self._waiting.popleft()

    def _end(self) -> None:
        if not self._is_over and self._whole is not None:
            self._is_over = True
            if watcher := self._let_go():
                watcher.succeeded(self._whole.usage)
            self._driver.drain()
            tell(self._asking.succeeded(self._whole, self._begun.ready))

    def close(self) -> None:
        """Hang up. What has come is counted and told; the provider may bill for more."""
        if not self._is_over:
            whole = self._whole or self._finish()
            self._is_over = True
            if watcher := self._let_go():
                watcher.abandoned()
            self._waiting.clear()
            self._driver.close()
            tell(self._asking.succeeded(whole, self._begun.ready))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncStream(CustomStreamWrapper):
    """For a loop: iterate, or `aclose()` to hang up."""

    def __init__(self, asking: Asking, begun: Begun, driver: AsyncDriver) -> None:
        self._driver = driver
        super().__init__(asking, begun)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ModelResponseStream:
        """Raises the exceptions of `exceptions.py`."""
        while not self._waiting:
            if self._is_over or self._whole is not None:
                await self._end()
                raise StopAsyncIteration
            try:
                self._take(self._reading.feed(await self._driver.more()))
            except ProviderError as error:
                await self._driver.close()
                failure = self._failure(error)
                await tell_from_loop(self._asking.failed(failure))
                raise failure from error
        return self._waiting.popleft()

    async def _end(self) -> None:
        if not self._is_over and self._whole is not None:
            self._is_over = True
            if watcher := self._let_go():
                watcher.succeeded(self._whole.usage)
            await self._driver.drain()
            await tell_from_loop(self._asking.succeeded(self._whole, self._begun.ready))

    async def aclose(self) -> None:
        """Hang up. What has come is counted and told; the provider may bill for more."""
        if not self._is_over:
            whole = self._whole or self._finish()
            self._is_over = True
            if watcher := self._let_go():
                watcher.abandoned()
            self._waiting.clear()
            await self._driver.close()
            await tell_from_loop(self._asking.succeeded(whole, self._begun.ready))

    async def close(self) -> None:
        await self.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
