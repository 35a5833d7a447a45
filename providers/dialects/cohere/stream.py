"""Cohere's stream of events. https://docs.cohere.com/docs/streaming, 2026-11.

message-start, then per part content-start, -delta, -end, per plan tool-plan-delta, per call
tool-call-start, -delta, -end, citations between, and message-end with the reason and the usage.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson

from ...errors import StreamError
from ...sse import SseEvent
from ...types import ChatChunk, Usage
from .response import FAILED, FINISH, arguments_text, read_usage


class StreamReader:
    """Reads events in order; what follows `message-end` is ignored."""

    def __init__(self, created: int | None = None) -> None:
        self._id = ""
        self._created = int(time.time()) if created is None else created
        self._calls: dict[Any, int] = {}
        self._has_ended = False

    def feed(self, event: SseEvent) -> list[ChatChunk]:
        """Chunks of one event; raises StreamError for an answer that failed."""
        if self._has_ended:
            return []
        try:
            body = orjson.loads(event.data)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if not isinstance(body, Mapping):
            raise StreamError("an event of the stream is not an object")
        delta = _object(body.get("delta"))
        message = _object(delta.get("message"))
        match body.get("type") or event.event:
            case "message-start":
                self._id = str(body.get("id") or "")
                return [self._chunk({"role": "assistant", "content": ""})]
            case "content-start" | "content-delta":
                return self._content(_object(message.get("content")))
            case "tool-plan-delta":
                return self._said("reasoning_content", message.get("tool_plan"))
            case "tool-call-start" | "tool-call-delta":
                return self._call(body.get("index", 0), _object(message.get("tool_calls")))
            case "citation-start":
                citation = message.get("citations")
                return [self._chunk({"citations": [citation]})] if citation else []
            case "message-end":
                return self._end(delta)
            case "error":
                raise StreamError(str(body.get("message") or "the provider reported an error"))
        if "type" not in body and body.get("message"):
            raise StreamError(str(body["message"])[:500])
        return []

    def _chunk(
        self, delta: Mapping[str, Any], finish: str | None = None, usage: Usage | None = None
    ) -> ChatChunk:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return ChatChunk(self._id, "", self._created, [choice], usage)

    def _said(self, name: str, text: Any) -> list[ChatChunk]:
        return [self._chunk({name: text})] if isinstance(text, str) and text else []

    def _content(self, content: Mapping[str, Any]) -> list[ChatChunk]:
        return [
            *self._said("reasoning_content", content.get("thinking")),
            *self._said("content", content.get("text")),
        ]

    def _call(self, index: Any, call: Mapping[str, Any]) -> list[ChatChunk]:
        function = _object(call.get("function"))
        arguments = arguments_text(function.get("arguments"))
        said: dict[str, Any] = {"function": {"arguments": arguments}}
        if index not in self._calls:
            self._calls[index] = len(self._calls)
            said = {
                "id": call.get("id"),
                "type": "function",
                "function": {"name": function.get("name"), "arguments": arguments},
            }
        return [self._chunk({"tool_calls": [{"index": self._calls[index], **said}]})]

    def _end(self, delta: Mapping[str, Any]) -> list[ChatChunk]:
        native = str(delta.get("finish_reason") or "")
        if native in FAILED:
            raise StreamError(str(delta.get("error") or f"the answer ended with {native}")[:500])
        self._has_ended = True
        usage = read_usage(delta.get("usage"))
        last = ChatChunk(self._id, "", self._created, usage=usage, is_last=True)
        return [self._chunk({}, FINISH.get(native, "stop"), usage), last]


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
