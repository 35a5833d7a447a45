"""The door of OpenAI's Responses API, `/v1/responses`, in front of any provider.

Nothing of an answer is kept, so there is no door to fetch it by: what refers to something stored
is refused by its name. A provider that speaks Responses itself is passed on what chat cannot say.
"""

from __future__ import annotations

from typing import Any

from providers.dialects import openai_responses
from providers.errors import BadRequest
from providers.types import ChatChunk, ChatRequest

from . import calls
from .consumers import Door
from .errors import Refusal, of_bad_request


class Responses(Door):
    """A response, whole or streamed. Its id is the call's own."""

    done = b""

    async def _answer(self, body: bytes) -> None:
        try:
            request = openai_responses.parse_request(self.document(body))
        except BadRequest as error:
            raise of_bad_request(error) from error
        try:
            await self._give(request)
        except Refusal as refusal:
            if refusal.param == "messages":
                refusal.param = "input"  # the caller's word for them
            raise

    async def _give(self, request: ChatRequest) -> None:
        if request.stream:
            await self.watched(self.send_stream(request))
            return
        response, receipt = await calls.whole(request, self.bearer, self.tags)
        document = openai_responses.write_response(
            response, request, response_id=_id(receipt.call), usage=receipt.usage
        )
        await self.send_json(document, receipt.headers())

    def prepare(self, request: ChatRequest, call: str) -> None:
        self._writer = openai_responses.StreamWriter(request, response_id=_id(call))

    def write(self, chunk: ChatChunk, request: ChatRequest) -> bytes:
        return _written(self._writer.write(chunk))

    def ending(self, request: ChatRequest, last: ChatChunk | None, receipt: calls.Receipt) -> bytes:
        return _written(self._writer.finish(receipt.usage))

    def fault(self, refusal: Refusal) -> bytes:
        return _written(self._writer.fail(refusal.message, refusal.code))


def _id(call: str) -> str:
    return f"resp_{call}"


def _written(events: list[dict[str, Any]]) -> bytes:
    return b"".join([openai_responses.event_bytes(event) for event in events])
