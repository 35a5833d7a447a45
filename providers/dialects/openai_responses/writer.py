"""Canonical chunks as the named events of a Responses stream.

| when | events |
|---|---|
| first chunk | response.created, response.in_progress |
| each item | output_item.added, its parts and deltas, output_item.done |
| `finish` | what is still open ends; response.completed or response.incomplete, with usage |
| `fail` | error, response.failed |

Chunks of a provider that speaks Responses bring their own events: these pass with our numbers.
https://platform.openai.com/docs/api-reference/responses-streaming, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...types import ChatChunk, ChatRequest, Json, Usage, native_to
from .native import DIALECT
from .opened import Event, OpenCall, OpenMessage, OpenThought
from .response import ItemIds, begin, end, read_logprobs, write_annotation, write_blocks
from .stream import ENDS

ERROR_CODES = frozenset({"server_error", "rate_limit_exceeded", "invalid_prompt"})


class StreamWriter:
    """`write` each chunk in order, then `finish` once, or `fail` once.

    `response_id` begins with `resp_`.
    """

    def __init__(self, request: ChatRequest, *, response_id: str) -> None:
        self._request = request
        self._document = begin(request, response_id, model="", created=0, extra={})
        self._ids = ItemIds(response_id)
        self._number = 0
        self._has_begun = False
        self._items: dict[int, Json] = {}
        self._message: OpenMessage | None = None
        self._thought: OpenThought | None = None
        self._calls: dict[int, OpenCall] = {}
        self._opened: list[OpenMessage | OpenThought | OpenCall] = []
        self._reason: str | None = None
        self._native: Json | None = None

    def write(self, chunk: ChatChunk) -> list[Event]:
        """The events of one chunk."""
        events = self._begin(chunk)
        own = native_to(DIALECT, chunk.native)
        if own:
            return self._numbered(events + self._pass_on(own))
        for choice in chunk.choices:
            if choice.get("index", 0) == 0:
                logprobs = read_logprobs(choice.get("logprobs"))
                events += self._delta(choice.get("delta") or {}, logprobs)
                self._reason = choice.get("finish_reason") or self._reason
        return self._numbered(events)

    def finish(self, usage: Usage | None) -> list[Event]:
        """What ends the stream: the whole answer with its usage."""
        events = self._begin(None)
        is_cut = self._reason in {"length", "content_filter"}
        events += self._close("incomplete" if is_cut else "completed")
        document = end(
            self._document,
            items=self._output(),
            finish_reason=self._reason,
            native=self._native,
            usage=usage,
        )
        kind = "incomplete" if document["status"] == "incomplete" else "completed"
        return self._numbered([*events, {"type": f"response.{kind}", "response": document}])

    def fail(self, message: str, code: str | None = None) -> list[Event]:
        """What ends a stream that began well: an error that no client overlooks.

        OpenAI's clients raise for an event with an `error` (openai-python 3.54, `_streaming.py`)
        and pass `response.failed` on in silence; others read only `response.failed`, as the end.
        """
        known = code if code in ERROR_CODES else "server_error"
        error = {"type": known, "code": code or known, "message": message, "param": None}
        document = {
            **self._document,
            "status": "failed",
            "error": {"code": known, "message": message},
            "output": self._output(),
        }
        raised = {"type": "error", "code": error["code"], "message": message, "param": None}
        failed = {"type": "response.failed", "response": document}
        return self._numbered([*self._begin(None), {**raised, "error": error}, failed])

    def _begin(self, chunk: ChatChunk | None) -> list[Event]:
        if self._has_begun:
            return []
        self._has_begun = True
        if chunk is not None:
            self._document |= {
                "created_at": chunk.created,
                "model": chunk.model or self._request.model,
                "service_tier": chunk.extra.get("service_tier"),
            }
        document = dict(self._document)
        return [
            {"type": "response.created", "response": document},
            {"type": "response.in_progress", "response": document},
        ]

    def _numbered(self, events: list[Event]) -> list[Event]:
        numbered = [{**e, "sequence_number": self._number + at} for at, e in enumerate(events)]
        self._number += len(events)
        return numbered

    def _pass_on(self, event: Json) -> list[Event]:
        """A provider's own event; its end is ours to tell, in `finish`."""
        kind = str(event.get("type"))
        if kind in ENDS:
            response = event["response"]
            status = response.get("status") or kind.removeprefix("response.")
            self._native = {**response, "status": status}
            return []
        item, index = event.get("item"), event.get("output_index")
        if kind == "response.output_item.done" and isinstance(index, int):
            self._items[index] = item if isinstance(item, Mapping) else {}
        return [dict(event)]

    def _delta(self, delta: Json, logprobs: list[dict[str, Any]]) -> list[Event]:
        events: list[Event] = []
        if delta.get("reasoning_content"):
            events += self._think(delta["reasoning_content"])
        if delta.get("thinking_blocks"):
            events += self._block(delta["thinking_blocks"])
        if delta.get("content"):
            events += self._speak() + self._spoken().say(delta["content"], logprobs)
        if delta.get("refusal"):
            events += self._speak() + self._spoken().refuse(delta["refusal"])
        for annotation in delta.get("annotations") or ():
            events += self._speak() + self._spoken().annotate(write_annotation(annotation))
        for call in delta.get("tool_calls") or ():
            events += self._call(call)
        return events

    def _think(self, text: str) -> list[Event]:
        events = []
        if self._thought is None:
            events = self._end_message()
            self._thought = OpenThought(len(self._opened), self._ids)
            self._opened.append(self._thought)
            events += self._thought.begin()
        return events + self._thought.say(text)

    def _block(self, blocks: list[Json]) -> list[Event]:
        """A provider's own form of what it thought, or of what it did not let be read."""
        events: list[Event] = []
        for block in write_blocks(blocks, self._ids):
            if self._thought is None:
                self._thought = OpenThought(len(self._opened), self._ids)
                self._opened.append(self._thought)
                events += self._end_message() + self._thought.begin()
            events += self._end_thought(block)
        return events

    def _speak(self) -> list[Event]:
        events = self._end_thought()
        if self._message is None:
            self._message = OpenMessage(len(self._opened), self._ids)
            self._opened.append(self._message)
            events += self._message.begin()
        return events

    def _spoken(self) -> OpenMessage:
        assert self._message is not None
        return self._message

    def _call(self, call: Json) -> list[Event]:
        """Calls may be said in turns, so that all of them stay open until the end."""
        number = call.get("index") or 0
        events: list[Event] = []
        if number not in self._calls:
            events = self._end_thought() + self._end_message()
            self._calls[number] = OpenCall(len(self._opened), call, self._ids)
            self._opened.append(self._calls[number])
            events += self._calls[number].begin()
        return events + self._calls[number].say(call)

    def _end_thought(self, block: Json | None = None) -> list[Event]:
        thought, self._thought = self._thought, None
        return [] if thought is None else thought.close("completed", block)

    def _end_message(self) -> list[Event]:
        message, self._message = self._message, None
        return [] if message is None else message.close("completed")

    def _close(self, status: str) -> list[Event]:
        """End what is still open; only that can be incomplete."""
        events = self._end_thought()
        message, self._message = self._message, None
        events += [] if message is None else message.close(status)
        for call in self._calls.values():
            events += call.close(status)
        self._calls = {}
        return events

    def _output(self) -> list[Json]:
        if self._items:
            return [self._items[index] for index in sorted(self._items)]
        return [opened.item for opened in self._opened]


def event_bytes(event: Json) -> bytes:
    """One event as it goes out, with its name: clients choose by either."""
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event))
