"""The doors on Channels: `/v1/chat/completions`, `/v1/models` and `/api/chat/stream`.

Each is one method that answers. A stream's door watches its caller, so that a hang-up is seen at
once; the call itself belongs to the process and is booked whatever the door does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import orjson
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer

from providers.dialects import openai_chat
from providers.errors import BadRequest
from providers.types import ChatChunk, ChatRequest

from . import calls, gateway, guards, sse
from .errors import InvalidRequest, Refusal, of_bad_request
from .facts import Bearer
from .plain_chat import read_chat, write_usage
from .reading import read_json, read_tags
from .serving import Pipe, pipe_of

STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


class CallerGone(Exception):
    """The caller closed the connection."""


class Door(AsyncHttpConsumer):
    """A consumer that reads the body itself; a stream runs beside a watch on its caller.

    A whole answer needs no watch: nobody waits less for it, and its bill is the process's own.
    """

    method = "POST"
    done = sse.DONE

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send, self._receive = scope, send, receive
        self._last: ChatChunk | None = None
        self._pipe: Pipe | None = None
        self._headers = dict(scope["headers"])
        if scope["method"] != self.method:
            raise InvalidRequest("Method not allowed.", code="method_not_allowed", status=405)
        self.bearer = self.credentials()
        await guards.identify(self.bearer, await gateway.running())  # before any body is read
        await self._answer(await self._read(receive))

    async def watched(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until it ends, or until the caller hangs up."""
        answer = asyncio.create_task(work)
        watch = asyncio.create_task(_gone(self._receive))
        await asyncio.wait({answer, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
        watch.cancel()
        await asyncio.gather(answer, watch, return_exceptions=True)
        if not answer.cancelled() and (error := answer.exception()) is not None:
            raise error

    async def _read(self, receive: Any) -> bytes:
        parts = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise StopConsumer
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _answer(self, body: bytes) -> None:
        raise NotImplementedError

    def credentials(self) -> Bearer:
        """The caller's key; raises InvalidRequest."""
        return guards.bearer(self._header(b"authorization"))

    def _header(self, name: bytes) -> str:
        value: bytes = self._headers.get(name, b"")
        return value.decode("latin-1")

    @property
    def tags(self) -> str:
        return read_tags(self._header(b"x-tollgate-tags"))

    def document(self, body: bytes) -> Any:
        return read_json(body, self._header(b"content-type"))

    async def send_json(self, document: Any, headers: Mapping[str, str]) -> None:
        body = orjson.dumps(document)
        named = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **headers,
        }
        await self._head(200, named)
        await self.base_send({"type": "http.response.body", "body": body})

    async def _head(self, status: int, headers: Mapping[str, str]) -> None:
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self.base_send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send_stream(self, request: ChatRequest) -> None:
        """Head after the first chunk, `[DONE]` after the posting; an error event ends it else."""
        self._streamed = request
        try:
            receipt = await calls.stream(request, self.bearer, self, self.tags)
        except Refusal as refusal:
            if self._last is None:
                raise
            last = self.fault(refusal)
        else:
            last = self.ending(request, self._last, receipt) + self.done
        await self.base_send({"type": "http.response.body", "body": last})

    async def begin(self, headers: dict[str, str]) -> None:
        self.prepare(self._streamed, headers["x-tollgate-call"])
        await self._head(200, {**STREAM_HEADERS, **headers})
        self._pipe = pipe_of(self.scope["server_send"])

    async def take(self, chunks: list[ChatChunk]) -> None:
        self._last = chunks[-1]
        data = b"".join([self.write(chunk, self._streamed) for chunk in chunks])
        if data:
            await self.base_send({"type": "http.response.body", "body": data, "more_body": True})

    def take_now(self, chunk: ChatChunk) -> bool:
        if self._pipe is None or not self._pipe.has_room:
            return False
        self._last = chunk
        data = self.write(chunk, self._streamed)
        if data:
            self._pipe.write(data)
        return True

    def prepare(self, request: ChatRequest, call: str) -> None:
        """The stream of this call is about to be written; most doors need to know nothing of it."""

    def write(self, chunk: ChatChunk, request: ChatRequest) -> bytes:
        """The events that say this chunk, and nothing where the caller is to see nothing of it."""
        raise NotImplementedError

    def ending(self, request: ChatRequest, last: ChatChunk | None, receipt: calls.Receipt) -> bytes:
        raise NotImplementedError

    def fault(self, refusal: Refusal) -> bytes:
        return sse.error(refusal)


class ChatCompletions(Door):
    """OpenAI's chat completions, whole and streamed."""

    async def _answer(self, body: bytes) -> None:
        try:
            request = openai_chat.parse_request(self.document(body))
        except BadRequest as error:
            raise of_bad_request(error) from error
        if request.stream:
            await self.watched(self.send_stream(request))
            return
        response, receipt = await calls.whole(request, self.bearer, self.tags)
        await self.send_json(openai_chat.write_response(response), receipt.headers())

    def write(self, chunk: ChatChunk, request: ChatRequest) -> bytes:
        text = openai_chat.write_chunk(chunk, include_usage=request.include_usage)
        return b"" if text is None else sse.written(text)

    def ending(self, request: ChatRequest, last: ChatChunk | None, receipt: calls.Receipt) -> bytes:
        if not request.include_usage or last is None:
            return b""
        return sse.event(openai_chat.write_final(last, receipt.usage))


class ChatStream(Door):
    """`POST /api/chat/stream`: content events, then one with usage and cost."""

    async def _answer(self, body: bytes) -> None:
        await self.watched(self.send_stream(read_chat(self.document(body), is_stream=True)))

    def write(self, chunk: ChatChunk, request: ChatRequest) -> bytes:
        texts = [choice.get("delta", {}).get("content") for choice in chunk.choices]
        return b"".join([sse.event({"content": text}) for text in texts if text])

    def ending(self, request: ChatRequest, last: ChatChunk | None, receipt: calls.Receipt) -> bytes:
        return sse.event(
            {
                "usage": write_usage(receipt.usage),
                "model": receipt.model,
                "provider": receipt.provider,
                "cost_nanos": receipt.cost_nanos,
            }
        )


class Models(Door):
    """`GET /v1/models`: the routes and priced models that this key may call."""

    method = "GET"

    async def _answer(self, body: bytes) -> None:
        running = await gateway.running()
        principal = running.directory.principal(await guards.identify(self.bearer, running))
        names = running.directory.model_names()
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": owner}
            for name, owner in names
            if guards.may_call(principal, name)
        ]
        await self.send_json({"object": "list", "data": data}, {})


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
