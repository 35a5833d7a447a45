"""A streamed answer as the events of Anthropic's messages API. Pure.

https://platform.claude.com/docs/en/api/messages-streaming, 2026-11. Blocks are numbered as they
are opened. Where arguments of several calls come mixed, their blocks stay open beside each other
until the arguments of each are whole. `message_delta` and `message_stop` wait for `end`, which the
caller of this module calls when the answer is paid for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from ...types import ChatChunk, Json, Usage, native_to
from .inward_answer import message_id, stop_reason, write_usage
from .request import DIALECT

Event = dict[str, Any]


@dataclass(slots=True)
class _Call:
    """A tool's block; it cannot be opened before the name is known."""

    id: str = ""
    name: str = ""
    index: int | None = None
    is_open: bool = False
    arguments: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        try:
            orjson.loads("".join(self.arguments))
        except orjson.JSONDecodeError:
            return False
        return True


class StreamWriter:
    """Feed it the chunks of one answer, then `end` it; each gives the events to be sent."""

    def __init__(self) -> None:
        self._has_started = False
        self._index = 0
        self._open: tuple[str, int] | None = None
        self._calls: dict[int, _Call] = {}
        self._finish: str | None = None
        self._has_refused = False
        self._ending: Json | None = None

    def feed(self, chunk: ChatChunk) -> list[Event]:
        """The events of one chunk, each a document whose `type` is its name."""
        own = native_to(DIALECT, chunk.native)
        if own:
            return self._pass(own, chunk)
        events: list[Event] = []
        for choice in chunk.choices:
            if choice.get("index", 0) == 0:
                events += self._delta(choice.get("delta") or {})
                self._finish = choice.get("finish_reason") or self._finish
        if chunk.choices and not self._has_started:
            return [*self._start(chunk.id, chunk.model), *events]
        return events

    def end(self, usage: Usage) -> list[Event]:
        """What closes the message: open blocks, why it ended, what it used."""
        events = [] if self._has_started else self._start("", "")
        counted = write_usage(usage)
        counted.pop("cache_creation")
        if self._ending is not None:
            own = self._ending.get("usage") or {}
            said = own if own.get("output_tokens") is not None else counted
            return [*events, {**self._ending, "usage": said}, _STOP]
        events += self._close_text()
        for call in self._calls.values():
            events += self._open_call(call) if call.index is None else []
            events += self._close_call(call)
        reason = stop_reason(
            self._finish, has_calls=bool(self._calls), has_refused=self._has_refused
        )
        delta = {"stop_reason": reason, "stop_sequence": None}
        return [*events, {"type": "message_delta", "delta": delta, "usage": counted}, _STOP]

    def _pass(self, own: Json, chunk: ChatChunk) -> list[Event]:
        """The provider's own event, with the text that the chunk says."""
        match own["type"]:
            case "message_start":
                message = own.get("message") or {}
                return self._start(chunk.id, chunk.model, message)
            case "message_delta":
                self._ending = own
                return []
            case "message_stop":
                return []
            case "content_block_delta" if chunk.choices:
                said = chunk.choices[0]["delta"].get("content")
                if isinstance(said, str) and own["delta"].get("type") == "text_delta":
                    return [{**own, "delta": {**own["delta"], "text": said}}]
        return [dict(own)]

    def _start(self, id: str, model: str, own: Json | None = None) -> list[Event]:
        self._has_started = True
        message: dict[str, Any] = {
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            **(own or {}),
            "id": message_id(id),
        }
        message["usage"] = {**_NONE_YET, **(message.get("usage") or {})}
        return [{"type": "message_start", "message": message}, {"type": "ping"}]

    def _delta(self, delta: Json) -> list[Event]:
        events: list[Event] = []
        thought = delta.get("reasoning_content")
        if isinstance(thought, str) and thought:
            events += self._say("thinking", thought)
        for block in delta.get("thinking_blocks") or ():
            events += self._sign(block)
        for text in (delta.get("content"), delta.get("refusal")):
            if isinstance(text, str) and text:
                events += self._say("text", text)
        self._has_refused = self._has_refused or bool(delta.get("refusal"))
        for call in delta.get("tool_calls") or ():
            events += self._call(call)
        return events

    def _say(self, kind: str, text: str) -> list[Event]:
        events: list[Event] = []
        if self._open is None or self._open[0] != kind:
            signature = {"signature": ""} if kind == "thinking" else {}
            events = self._open_block({"type": kind, kind: "", **signature})
        assert self._open is not None
        delta = {"type": f"{kind}_delta", kind: text}
        return [*events, _delta(self._open[1], delta)]

    def _sign(self, block: Json) -> list[Event]:
        """A whole block of thinking: what was streamed of it is signed, and it is closed."""
        if block.get("type") != "thinking":
            return [*self._open_block(dict(block)), *self._close_text()]
        events: list[Event] = []
        if self._open is None or self._open[0] != "thinking":
            events += self._open_block({"type": "thinking", "thinking": "", "signature": ""})
            if block.get("thinking"):
                events += self._say("thinking", block["thinking"])
        assert self._open is not None
        delta = {"type": "signature_delta", "signature": block.get("signature") or ""}
        return [*events, _delta(self._open[1], delta), *self._close_text()]

    def _call(self, said: Json) -> list[Event]:
        function = said.get("function") or {}
        call = self._calls.setdefault(said.get("index", 0), _Call())
        call.id = call.id or said.get("id") or ""
        call.name = call.name or function.get("name") or ""
        text = function.get("arguments") or ""
        if call.index is None:
            call.arguments.append(text)
            return self._open_call(call) if call.name else []
        call.arguments.append(text)
        delta = {"type": "input_json_delta", "partial_json": text}
        return [_delta(call.index, delta)] if text and call.is_open else []

    def _open_call(self, call: _Call) -> list[Event]:
        """Open its block, with the arguments that came before its name."""
        block = {
            "type": "tool_use",
            "id": call.id or f"toolu_{self._index}",
            "name": call.name,
            "input": {},
        }
        events = self._open_block(block)
        assert self._open is not None
        call.index, call.is_open, self._open = self._open[1], True, None
        text = "".join(call.arguments)
        delta = {"type": "input_json_delta", "partial_json": text}
        return [*events, *([_delta(call.index, delta)] if text else [])]

    def _open_block(self, block: dict[str, Any]) -> list[Event]:
        """Close what is finished, then open; a call whose arguments go on stays open beside it."""
        events = self._close_text()
        for call in self._calls.values():
            if call.is_open and call.is_whole:
                events += self._close_call(call)
        self._open = (block["type"], self._index)
        start = {"type": "content_block_start", "index": self._index, "content_block": block}
        self._index += 1
        return [*events, start]

    def _close_text(self) -> list[Event]:
        if self._open is None:
            return []
        index, self._open = self._open[1], None
        return [{"type": "content_block_stop", "index": index}]

    def _close_call(self, call: _Call) -> list[Event]:
        if not call.is_open:
            return []
        call.is_open = False
        return [{"type": "content_block_stop", "index": call.index}]


_STOP: Event = {"type": "message_stop"}
_NONE_YET = {"input_tokens": 0, "output_tokens": 0}


def _delta(index: int, delta: Json) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": delta}
