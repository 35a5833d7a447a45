"""In front of everything, raw ASGI: limits, request id, access log, CORS, drain.

What is refused here never reaches a parser, a database or a log unbounded. Answers have the one
error shape; a request's body is read by its door through `receive`, bounded in size and time here.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson
from django.conf import settings

from . import gateway
from .errors import MESSAGES, InvalidRequest, Refusal, Unavailable, body_at, unexpected
from .ids import new_id
from .logs import AccessLog
from .patience import Patience

logger = logging.getLogger("access")

BODY_BYTES_MAX = 32 * 1024 * 1024
HEADER_BYTES_MAX = 64 * 1024
BODY_IDLE_SECONDS = 30.0
BODY_TOTAL_SECONDS = 120.0
LINGER_SECONDS = 5.0
LINGER_BYTES_MAX = 4 * BODY_BYTES_MAX
UNDER_WAY_MAX = 2_000
GC_THRESHOLDS = (10_000, 20, 50)
REQUEST_ID = re.compile(rb"[A-Za-z0-9_.:\-]{1,128}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
CORS_PATHS = ("/v1/", "/api/chat")
ALLOWED_HEADERS = b"authorization, *"  # the star means every header but this one, and no cookies
EXPOSED = "x-request-id, x-tollgate-cost-nanos, x-tollgate-provider, x-tollgate-model, retry-after"

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Edge:
    """Wraps the application; also answers `lifespan`, which no router of Channels knows."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._under_way = 0
        self._access = AccessLog()
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await gateway.running()
                _settle_down()
                await send({"type": "lifespan.startup.complete"})
            else:
                self.is_draining = True
                await gateway.stop(settings.DRAIN_SECONDS)
                self._access.flush()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        self._under_way += 1
        try:
            await self._answer(exchange)
        finally:
            self._under_way -= 1
            self._access.add(exchange.line())

    async def _answer(self, exchange: Exchange) -> None:
        try:
            self._admit(exchange.scope)
            if exchange.is_preflight:
                await exchange.answer_preflight()
                return
            await self._application(exchange.scope, exchange.receive, exchange.send)
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except Exception:
            logger.exception("unexpected", extra={"fields": {"request_id": exchange.request_id}})
            await exchange.refuse(unexpected())

    def _admit(self, scope: Scope) -> None:
        if self.is_draining:
            raise Unavailable("draining", "This gateway is stopping; try again.")
        if self._under_way > UNDER_WAY_MAX:
            raise Unavailable("overloaded", "Too many requests are under way; try again.")
        if scope["method"] not in METHODS:
            raise InvalidRequest("Method not allowed.", code="method_not_allowed", status=405)
        _check_headers(scope["headers"])


def _settle_down() -> None:
    """What was loaded by the start stays for ever: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    size = 0
    credentials = 0
    length = None
    for name, value in headers:
        size += len(name) + len(value)
        credentials += name == b"authorization"
        if name == b"content-length":
            length = value
    if size > HEADER_BYTES_MAX:
        raise InvalidRequest("The headers are too large.", code="headers_too_large", status=431)
    if credentials > 1:
        raise InvalidRequest("More than one Authorization.", code="duplicate_credentials")
    if length is not None and len(length) < 20 and int(length) > BODY_BYTES_MAX:
        raise _too_large()


def _too_large() -> InvalidRequest:
    return InvalidRequest(
        f"The body is larger than {BODY_BYTES_MAX} bytes.", code="request_too_large", status=413
    )


class Exchange:
    """One request and its answer: counts the body, adds headers, writes the access log line."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._started = time.monotonic()
        self._body_bytes = 0
        self._body_ended = False
        self.status: int | None = None
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        is_usable = given and REQUEST_ID.fullmatch(given)
        self.request_id: str = given.decode() if is_usable else new_id()
        self._origin = headers[b"origin"].decode("latin-1") if b"origin" in headers else ""
        self.is_preflight = (
            scope["method"] == "OPTIONS"
            and b"access-control-request-method" in headers
            and scope["path"].startswith(CORS_PATHS)
        )
        self.scope = {**scope, "request_id": self.request_id, "server_send": send}

    async def receive(self) -> Message:
        """The door's `receive`, with the bounds on the body."""
        if self._body_ended:
            return await self._receive()
        left = self._started + BODY_TOTAL_SECONDS - time.monotonic()
        patience = Patience(max(0.0, min(BODY_IDLE_SECONDS, left)))
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not patience.has_ended():
                raise
            raise InvalidRequest(
                "The body did not arrive in time.", code="request_timeout", status=408
            ) from None
        finally:
            patience.end()
        if message["type"] == "http.request":
            self._body_bytes += len(message.get("body", b""))
            self._body_ended = not message.get("more_body", False)
            if self._body_bytes > BODY_BYTES_MAX:
                raise _too_large()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._own_headers()]}
        await self._send(message)

    def _own_headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"x-request-id", self.request_id.encode())]
        if self.scope["path"].startswith(MESSAGES):
            headers.append((b"request-id", self.request_id.encode()))
        if self._origin and self.scope["path"].startswith(CORS_PATHS):
            allowed = settings.CORS_ORIGINS
            if "*" in allowed:
                headers.append((b"access-control-allow-origin", b"*"))
            elif self._origin in allowed:
                headers.append((b"access-control-allow-origin", self._origin.encode("latin-1")))
                headers.append((b"vary", b"Origin"))
            headers.append((b"access-control-expose-headers", EXPOSED.encode()))
        return headers

    async def answer_preflight(self) -> None:
        headers = [
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", b"600"),
        ]
        await self.send({"type": "http.response.start", "status": 204, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    async def refuse(self, refusal: Refusal) -> None:
        """An error answer, if the head is not out yet; then there is nothing more to say."""
        if self.status is not None:
            return
        body = orjson.dumps(body_at(self.scope["path"], refusal, self.request_id))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *((name.encode(), value.encode()) for name, value in refusal.headers.items()),
        ]
        if not self._body_ended:
            headers.append((b"connection", b"close"))
        await self.send(
            {"type": "http.response.start", "status": refusal.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": body, "more_body": True})
        await self._linger()
        await self.send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        """Read on for a while: a close with unread bytes would reset the answer away."""
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._body_ended and self._body_bytes < LINGER_BYTES_MAX:
                    message = await self._receive()
                    if message["type"] != "http.request":
                        return
                    self._body_bytes += len(message.get("body", b""))
                    self._body_ended = not message.get("more_body", False)
        except TimeoutError:
            return

    def line(self) -> dict[str, Any]:
        """What the access log says of it."""
        scope = self.scope
        return {
            "request_id": self.request_id,
            "method": scope["method"],
            "path": scope["path"][:200],
            "status": self.status,
            "milliseconds": round((time.monotonic() - self._started) * 1000, 1),
            "client": (scope.get("client") or ("",))[0],
        }
