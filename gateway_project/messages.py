"""The doors of Anthropic's messages API: `/v1/messages` and `/v1/messages/count_tokens`.

Whoever speaks this API is answered in it, whichever provider the model is of. The key comes in
`x-api-key` or as a bearer; `anthropic-version` is accepted as it comes, and the names in
`anthropic-beta` go on to a provider of the same dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import tokens
from providers.dialects import anthropic_messages
from providers.errors import BadRequest
from providers.types import ChatChunk, ChatRequest

from . import calls, gateway, guards, sse
from .consumers import Door
from .errors import MESSAGES, InvalidRequest, NotAllowed, Refusal, body_at, of_bad_request
from .facts import Bearer


class MessagesDoor(Door):
    """What both doors share: how a caller says who he is."""

    def credentials(self) -> Bearer:
        """Either way of giving a key will do; two that differ are one too many."""
        keys = [value for name, value in self.scope["headers"] if name == b"x-api-key"]
        given = super().credentials()
        if not keys:
            return given
        key = keys[0].decode("latin-1")
        if len(keys) > 1 or (given.token and given.token != key):
            raise InvalidRequest("More than one API key.", code="duplicate_credentials")
        return guards.bearer(f"Bearer {key}")


class Messages(MessagesDoor):
    """A message, whole or streamed."""

    done = b""

    async def _answer(self, body: bytes) -> None:
        request = self._request(body)
        if request.stream:
            self._writer = anthropic_messages.StreamWriter()
            await self.watched(self.send_stream(request))
            return
        response, receipt = await calls.whole(request, self.bearer, self.tags)
        document = anthropic_messages.write_response(response)
        await self.send_json(document, receipt.headers())

    def _request(self, body: bytes) -> ChatRequest:
        try:
            betas = anthropic_messages.read_betas(self._header(b"anthropic-beta"))
            return anthropic_messages.parse_request(self.document(body), betas)
        except BadRequest as error:
            raise of_bad_request(error) from error

    def write(self, chunk: ChatChunk, request: ChatRequest) -> bytes:
        native = chunk.native
        if native is not None and native.event and native.dialect == anthropic_messages.DIALECT:
            return native.event
        return b"".join([sse.named(event) for event in self._writer.feed(chunk)])

    def ending(self, request: ChatRequest, last: ChatChunk | None, receipt: calls.Receipt) -> bytes:
        return b"".join(sse.named(event) for event in self._writer.end(receipt.usage))

    def fault(self, refusal: Refusal) -> bytes:
        return sse.named(body_at(MESSAGES, refusal, self.scope["request_id"]))


class CountTokens(MessagesDoor):
    """How many tokens a message would be asked with. Nothing is sent, and nothing is booked."""

    async def _answer(self, body: bytes) -> None:
        running = await gateway.running()
        principal = running.directory.principal(await guards.identify(self.bearer, running))
        request = self._request(self.document(body))
        if not guards.may_call(principal, request.model):
            raise NotAllowed(f"This key may not call {request.model!r}.")
        tools = request.options.get("tools") or []
        count = tokens.count_messages(request.messages, tools, request.model)
        await self.send_json({"input_tokens": count.tokens}, {})

    def _request(self, document: Mapping[str, Any]) -> ChatRequest:
        try:
            return anthropic_messages.parse_count(document)
        except BadRequest as error:
            raise of_bad_request(error) from error
