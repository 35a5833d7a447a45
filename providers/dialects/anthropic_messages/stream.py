"""Anthropic's streams, read event by event.

https://platform.claude.com/docs/en/api/messages-streaming, 2026-11: usage in `message_delta` is
cumulative, so the last value of each field wins over the one in `message_start`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from ...errors import StreamError
from ...sse import SseEvent
from ...types import ChatChunk, Native, Usage
from ..answers import read_error_object
from ..mould import MOULDS_MAX, Mould, is_bare, mould_of
from .request import DIALECT
from .response import FINISH, THINKING, read_usage

STRUCTURE = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
DELTA = frozenset({"type", "index", "delta"})
TEXT = frozenset({"type", "text"})


class StreamReader:
    """Reads events in order; what follows `message_stop` is ignored."""

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._created = int(time.time())
        self._usage: dict[str, Any] = {}
        self._counted: Usage | None = None
        self._tools: dict[int, int] = {}
        self._thinking: dict[int, dict[str, Any]] = {}
        self._has_ended = False
        self._mould: Mould | None = None
        self._moulds_left = MOULDS_MAX
        self._index = 0  # of the block that the mould's events are of

    def alike(self, data: bytes) -> ChatChunk | None:
        """The chunk of a whole event, as it came, that differs from one before in its text alone.

        None says nothing of the event: it is to be split and fed.
        """
        text = None if self._mould is None else self._mould.text_in(data)
        if text is None:
            return None
        said = {
            "type": "content_block_delta",
            "index": self._index,
            "delta": {"type": "text_delta", "text": text},
        }
        return self._chunk({"content": text}, native=Native(DIALECT, said, data))

    def feed(self, event: SseEvent) -> list[ChatChunk]:
        """Chunks of one event; raises StreamError for an error event."""
        if self._has_ended:
            return []
        try:
            body = orjson.loads(event.data)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if not isinstance(body, Mapping):
            raise StreamError("an event of the stream is not an object")
        kind = body.get("type") or event.event
        chunks = self._read(kind, body)
        if kind not in STRUCTURE:
            return chunks
        if kind != "content_block_delta":
            self._mould = None
        elif self._mould is None:
            self._take_mould(event, body)
        native = Native(DIALECT, {**body, "type": kind})
        return [replace(each, native=native) for each in chunks or [self._chunk()]]

    def _take_mould(self, event: SseEvent, body: Mapping[str, Any]) -> None:
        """Where this is a text in Anthropic's own words, and nothing else."""
        delta = body.get("delta") or {}
        text = delta.get("text")
        is_own = body.keys() == DELTA and delta.keys() == TEXT and type(body["index"]) is int
        if not (is_own and self._moulds_left and type(text) is str and is_bare(text)):
            return
        if delta["type"] != "text_delta" or event.event != body["type"]:
            return
        self._moulds_left -= 1

        def reads(data: str, said: str) -> bool:
            return bool(orjson.loads(data) == {**body, "delta": {**delta, "text": said}})

        self._index = body["index"]
        self._mould = mould_of(event, "text", text, reads)

    def _read(self, kind: str, body: Mapping[str, Any]) -> list[ChatChunk]:
        match kind:
            case "message_start":
                return self._start(body.get("message") or {})
            case "content_block_start":
                return self._open(body.get("index", 0), body.get("content_block") or {})
            case "content_block_delta":
                return self._delta(body.get("index", 0), body.get("delta") or {})
            case "content_block_stop":
                return self._close(body.get("index", 0))
            case "message_delta":
                return self._finish(body)
            case "message_stop":
                self._has_ended = True
                return [self._chunk(is_last=True)]
            case "error":
                message, code, _ = read_error_object(body.get("error"))
                raise StreamError(message or "the provider reported an error", code=code)
        return []

    def _chunk(
        self,
        delta: Mapping[str, Any] | None = None,
        *,
        finish: str | None = None,
        is_last: bool = False,
        native: Native | None = None,
    ) -> ChatChunk:
        choices = []
        if delta is not None:
            choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return ChatChunk(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=choices,
            usage=self._counted,
            is_last=is_last,
            native=native,
        )

    def _start(self, message: Mapping[str, Any]) -> list[ChatChunk]:
        self._id = str(message.get("id") or "")
        self._model = str(message.get("model") or "")
        self._note(message.get("usage"))
        return [self._chunk({"role": "assistant", "content": ""})]

    def _note(self, usage: Any) -> None:
        if isinstance(usage, Mapping):
            self._usage.update({k: v for k, v in usage.items() if v is not None})
            self._counted = read_usage(self._usage)

    def _open(self, index: int, block: Mapping[str, Any]) -> list[ChatChunk]:
        kind = block.get("type")
        if kind in THINKING:
            self._thinking[index] = dict(block)
            return []
        if kind == "tool_use":
            number = self._tools[index] = len(self._tools)
            function = {"name": block.get("name"), "arguments": ""}
            call = {
                "index": number,
                "id": block.get("id"),
                "type": "function",
                "function": function,
            }
            return [self._chunk({"tool_calls": [call]})]
        text = block.get("text")
        return [self._chunk({"content": text})] if kind == "text" and text else []

    def _delta(self, index: int, delta: Mapping[str, Any]) -> list[ChatChunk]:
        match delta.get("type"):
            case "text_delta":
                return [self._chunk({"content": delta.get("text", "")})]
            case "input_json_delta":
                function = {"arguments": delta.get("partial_json", "")}
                call = {"index": self._tools.get(index, 0), "function": function}
                return [self._chunk({"tool_calls": [call]})] if index in self._tools else []
            case "thinking_delta":
                text = str(delta.get("thinking", ""))
                block = self._thinking.setdefault(index, {"type": "thinking", "thinking": ""})
                block["thinking"] = str(block.get("thinking", "")) + text
                return [self._chunk({"reasoning_content": text})]
            case "signature_delta":
                block = self._thinking.setdefault(index, {"type": "thinking", "thinking": ""})
                block["signature"] = delta.get("signature")
        return []

    def _close(self, index: int) -> list[ChatChunk]:
        block = self._thinking.pop(index, None)
        return [] if block is None else [self._chunk({"thinking_blocks": [block]})]

    def _finish(self, body: Mapping[str, Any]) -> list[ChatChunk]:
        self._note(body.get("usage"))
        delta = body.get("delta") or {}
        native = delta.get("stop_reason")
        if native is None:
            return []
        return [self._chunk({}, finish=FINISH.get(str(native), "stop"))]
