"""What every door does with a call: admit it, run it in an owned task, give it back.

A door hands over a request and a bearer, and gets a whole answer or a stream. If the door is
cancelled or leaves, the call goes on and is booked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from providers.embeddings import EmbeddingRequest, EmbeddingResponse
from providers.flow import Bus
from providers.types import ChatChunk, ChatRequest, ChatResponse, Usage

from . import billing, embedding_pipeline, gateway, guards, pipeline
from .call_log import Watch, logged
from .facts import Bearer, Grant, InputTokens, Labels, Meter, Request
from .streams import Pipe

DRAIN_SECONDS = 120.0
USER_MAX = 256


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a finished call cost and who answered it."""

    call: str
    provider: str
    model: str
    usage: Usage
    cost_nanos: int
    attempts: int
    cap: int | None
    dropped: tuple[str, ...]

    def headers(self) -> dict[str, str]:
        named = {
            "x-tollgate-call": self.call,
            "x-tollgate-provider": self.provider,
            "x-tollgate-model": self.model,
            "x-tollgate-attempts": str(self.attempts),
            "x-tollgate-cost-nanos": str(self.cost_nanos),
        }
        return {**named, **_optional_headers(self.cap, self.dropped)}


async def check(bearer: Bearer) -> None:
    """Raise InvalidKey for a bearer that no call could use, before its body is looked at."""
    await guards.identify(bearer, await gateway.running())


async def whole(
    request: ChatRequest, bearer: Bearer, tags: str = ""
) -> tuple[ChatResponse, Receipt]:
    """The whole answer, after its posting is committed."""
    running = await gateway.running()
    work = _whole(request, bearer, _labels(request, tags), running)
    return await asyncio.shield(running.own(work))


async def embed(
    request: EmbeddingRequest, bearer: Bearer, tags: str = ""
) -> tuple[EmbeddingResponse, Receipt]:
    """The vectors, after their posting is committed; their usage is what was charged."""
    running = await gateway.running()
    work = _embed(request, bearer, _labels(request, tags), running)
    return await asyncio.shield(running.own(work))


def _labels(request: Request, tags: str) -> Labels:
    user = request.options.get("user")
    return Labels(user[:USER_MAX] if isinstance(user, str) else "", tags)


async def _whole(
    request: ChatRequest, bearer: Bearer, labels: Labels, running: gateway.Gateway
) -> tuple[ChatResponse, Receipt]:
    watch = Watch(running.now_us())
    bus = await pipeline.admit(request, bearer, labels, running)
    with logged(running.log, request, bus, watch):
        response = await pipeline.complete(request, bus)
    return response, _receipt(request, bus)


async def _embed(
    request: EmbeddingRequest, bearer: Bearer, labels: Labels, running: gateway.Gateway
) -> tuple[EmbeddingResponse, Receipt]:
    watch = Watch(running.now_us())
    bus = await pipeline.admit(request, bearer, labels, running)
    with logged(running.log, request, bus, watch):
        response = await embedding_pipeline.complete(request, bus)
    return response, _receipt(request, bus)


class Stream:
    """A streamed answer: `open` asks for its first chunks, `get` for each next ones."""

    def __init__(self, request: ChatRequest, bearer: Bearer, tags: str = "") -> None:
        self._request, self._bearer = request, bearer
        self._labels = _labels(request, tags)
        self._pipe: Pipe[list[ChatChunk]] = Pipe()
        self._bus: Bus | None = None
        self._first: list[ChatChunk] | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> dict[str, str]:
        """Wait for the first chunks; returns headers, raises what refused before any byte."""
        running = await gateway.running()
        self._task = running.own(self._pipe.run(self._chunks(running)))
        self._first = await self._pipe.get()
        assert self._bus is not None
        target = self._bus[Meter].current.candidate.target
        grant = self._bus[Grant]
        named = {
            "x-tollgate-call": grant.call,
            "x-tollgate-provider": target.provider.name,
            "x-tollgate-model": target.model,
            "x-tollgate-attempts": str(len(self._bus[Meter].attempts)),
        }
        cap = grant.cap if grant.was_injected else None
        return {**named, **_optional_headers(cap, self._bus[Meter].current.dropped)}

    async def get(self) -> list[ChatChunk] | None:
        """The next chunks; None once the answer is complete and booked."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._pipe.get()

    def abandon(self) -> None:
        """The caller needs no more: the provider is heard out, for its usage, within a bound."""
        self._pipe.abandon()
        if self._task is not None and not self._task.done():
            asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._task.cancel)

    def receipt(self) -> Receipt:
        assert self._bus is not None
        return _receipt(self._request, self._bus)

    async def _chunks(self, running: gateway.Gateway) -> AsyncGenerator[list[ChatChunk]]:
        watch = Watch(running.now_us())
        self._bus = await pipeline.admit(self._request, self._bearer, self._labels, running)
        with logged(running.log, self._request, self._bus, watch):
            async for chunks in pipeline.stream(self._request, self._bus):
                watch.saw_first()
                yield chunks


def _receipt(request: Request, bus: Bus) -> Receipt:
    attempt, grant = bus[Meter].current, bus[Grant]
    target = attempt.candidate.target
    return Receipt(
        call=grant.call,
        provider=target.provider.name,
        model=target.model,
        usage=billing.charged(attempt, bus[InputTokens])[0],
        cost_nanos=bus[Meter].cost_nanos,
        attempts=len(bus[Meter].attempts),
        cap=grant.cap if grant.was_injected else None,
        dropped=attempt.dropped,
    )


def _optional_headers(cap: int | None, dropped: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    if cap is not None:
        headers["x-tollgate-max-tokens"] = str(cap)
    if dropped:
        headers["x-tollgate-dropped-params"] = ",".join(dropped)
    return headers
