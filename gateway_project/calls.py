"""What every door does with a call: admit it, run it in an owned task, give it back.

A door hands over a request and a bearer, and gets a whole answer or a stream. If the door is
cancelled or leaves, the call goes on and is booked.
"""

from __future__ import annotations

import asyncio
from typing import Any

from providers.embeddings import EmbeddingRequest, EmbeddingResponse
from providers.flow import Bus
from providers.shapes import shape
from providers.types import ChatRequest, ChatResponse, Usage

from . import embedding_pipeline, gateway, guards, pipeline
from .call_log import Watch, logged
from .errors import Unavailable
from .facts import Bearer, Grant, Labels, Meter, Request
from .streams import Listener, Outlet

DRAIN_SECONDS = 120.0
USER_MAX = 256


@shape
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
    return await running.answered(work)


async def embed(
    request: EmbeddingRequest, bearer: Bearer, tags: str = ""
) -> tuple[EmbeddingResponse, Receipt]:
    """The vectors, after their posting is committed; their usage is what was charged."""
    running = await gateway.running()
    work = _embed(request, bearer, _labels(request, tags), running)
    return await running.answered(work)


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


async def stream(
    request: ChatRequest, bearer: Bearer, listener: Listener, tags: str = ""
) -> Receipt:
    """Give the answer to `listener` as it comes; comes back when it is complete and booked.

    Raises what refused it, be it before its first chunks or after, and what the listener raised.
    If this is cancelled, the call goes on without a listener: the provider is heard out, for its
    usage, within a bound.
    """
    running = await gateway.running()
    outlet = Outlet(listener)
    task = running.own(_heard_out(request, bearer, _labels(request, tags), running, outlet))
    task.add_done_callback(_take_notice)
    try:
        ends: set[asyncio.Future[Any]] = {task, outlet.failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        outlet.close()
        if not task.done():
            asyncio.get_running_loop().call_later(DRAIN_SECONDS, task.cancel)
    if outlet.failed.done():
        raise outlet.failed.result()
    if task.cancelled():
        raise Unavailable("draining", "This gateway is stopping; try again.")
    return task.result()


async def _heard_out(
    request: ChatRequest,
    bearer: Bearer,
    labels: Labels,
    running: gateway.Gateway,
    outlet: Outlet,
) -> Receipt:
    watch = Watch(running.now_us())
    bus = await pipeline.admit(request, bearer, labels, running)

    def headers(bus: Bus) -> dict[str, str]:
        watch.saw_first()
        return _stream_headers(bus)

    with logged(running.log, request, bus, watch):
        await pipeline.stream(request, bus, outlet, headers)
    return _receipt(request, bus)


def _take_notice(task: asyncio.Task[Receipt]) -> None:
    """Nobody may wait for it any more: its log line and its posting say how it ended."""
    if not task.cancelled():
        task.exception()


def _stream_headers(bus: Bus) -> dict[str, str]:
    """What is known of a call when it begins to answer."""
    target, grant = bus[Meter].current.candidate.target, bus[Grant]
    named = {
        "x-tollgate-call": grant.call,
        "x-tollgate-provider": target.provider.name,
        "x-tollgate-model": target.model,
        "x-tollgate-attempts": str(len(bus[Meter].attempts)),
    }
    cap = grant.cap if grant.was_injected else None
    return {**named, **_optional_headers(cap, bus[Meter].current.dropped)}


def _receipt(request: Request, bus: Bus) -> Receipt:
    attempt, grant = bus[Meter].current, bus[Grant]
    target = attempt.candidate.target
    return Receipt(
        call=grant.call,
        provider=target.provider.name,
        model=target.model,
        usage=attempt.charged or Usage(),
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
