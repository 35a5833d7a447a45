"""A provider's stream of Responses events as chat chunks, each with the event that it came from.

https://platform.openai.com/docs/api-reference/responses-streaming, 2026-11: usage comes only with
the event that ends the stream. What a provider says only in a `.done` event is read there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...errors import BadRequest, StreamError
from ...sse import SseEvent
from ...types import ChatChunk, Json, Native
from ..answers import read_error_object
from .answer import (
    CALLS,
    PARAGRAPH,
    failure,
    finish_reason,
    read_annotation,
    read_created,
    read_extra,
    read_usage,
)
from .native import DIALECT

ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
BEGINS = frozenset({"response.created", "response.queued", "response.in_progress"})
# The event's kind without `.delta` or `.done`: (the delta's name in chat, the event's own name).
TEXTS = {
    "response.output_text": ("content", "text"),
    "response.refusal": ("refusal", "refusal"),
    "response.reasoning_text": ("reasoning_content", "text"),
    "response.reasoning_summary_text": ("reasoning_content", "text"),
}
PARTS = {
    "output_text": "response.output_text",
    "refusal": "response.refusal",
    "reasoning_text": "response.reasoning_text",
    "summary_text": "response.reasoning_summary_text",
}
INPUTS = {
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
}


class StreamReader:
    """Reads events in order; what follows the event that ends the stream is ignored."""

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._created = 0
        self._extra: Json = {}
        self._has_begun = False
        self._has_ended = False
        self._has_thought = False
        self._said: dict[tuple[Any, ...], int] = {}
        self._calls: dict[Any, int] = {}
        self._has_custom: set[Any] = set()

    def feed(self, event: SseEvent) -> list[ChatChunk]:
        """Chunks of one event; raises StreamError for an error event or a failed answer."""
        if self._has_ended or event.data.startswith("[DONE]"):
            return []
        try:
            body = orjson.loads(event.data)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if not isinstance(body, Mapping):
            raise StreamError("an event of the stream is not an object")
        kind = str(body.get("type") or event.event)
        if kind == "error" or body.get("error"):
            message, code, param = read_error_object(body.get("error") or body)
            raise StreamError(message or "the provider reported an error", code=code, param=param)
        if kind in BEGINS | ENDS:
            return self._live(kind, body.get("response"))
        deltas = self._deltas(kind, body)
        return [self._chunk(*deltas, native=body)] if deltas else [self._chunk(native=body)]

    def _live(self, kind: str, response: Any) -> list[ChatChunk]:
        """The beginning and the end, both with the whole answer so far."""
        if not isinstance(response, Mapping):
            raise StreamError("an event of the stream has no response")
        self._id = str(response.get("id") or self._id)
        self._model = str(response.get("model") or self._model)
        self._created = read_created(response) or self._created
        self._extra = read_extra(response)
        if kind in ENDS:
            self._has_ended = True
            return self._end(kind, response)
        if self._has_begun:
            return []
        self._has_begun = True
        return [self._chunk({"role": "assistant", "content": ""})]

    def _end(self, kind: str, response: Json) -> list[ChatChunk]:
        if kind == "response.failed":
            error = failure(response)
            if isinstance(error, BadRequest):
                raise error
            raise StreamError(error.message, code=error.code)
        items = [item for item in response.get("output") or () if isinstance(item, Mapping)]
        state = {"status": kind.removeprefix("response."), **response}
        called = [{"type": "function_call"}] if self._calls else items
        choice = {
            "index": 0,
            "delta": {},
            "logprobs": None,
            "finish_reason": finish_reason(state, called),
        }
        return [
            ChatChunk(
                id=self._id,
                model=self._model,
                created=self._created,
                choices=[choice],
                usage=read_usage(response.get("usage"), response.get("service_tier")),
                is_last=True,
                extra=self._extra,
                native=Native(DIALECT, {"type": kind, "response": response}),
            )
        ]

    def _chunk(self, *deltas: Json, native: Json | None = None) -> ChatChunk:
        logprobs = native.get("logprobs") if native is not None else None
        choices = [
            {
                "index": 0,
                "delta": delta,
                "logprobs": {"content": logprobs, "refusal": None} if logprobs else None,
                "finish_reason": None,
            }
            for delta in deltas
        ]
        return ChatChunk(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=choices,
            extra=self._extra,
            native=None if native is None else Native(DIALECT, native),
        )

    def _deltas(self, kind: str, body: Json) -> list[Json]:
        stem, _, ending = kind.rpartition(".")
        if stem in TEXTS and ending in ("delta", "done"):
            name, whole = TEXTS[stem]
            text = self._new(stem, body, body.get("delta" if ending == "delta" else whole), ending)
            return [{name: self._thought(name, text, body)}] if text else []
        if stem in INPUTS and ending in ("delta", "done"):
            if str(body.get("output_index")) not in self._calls:
                return []  # the item's own end will open the call and say all of it
            whole = INPUTS[stem]
            text = self._new(stem, body, body.get("delta" if ending == "delta" else whole), ending)
            return self._call_delta(body.get("output_index"), text)
        item = body.get("item")
        if isinstance(item, Mapping) and stem == "response.output_item":
            return self._item(ending, item, body.get("output_index"))
        annotation = body.get("annotation")
        if kind == "response.output_text.annotation.added" and isinstance(annotation, Mapping):
            return [{"annotations": [read_annotation(annotation)]}]
        return []

    def _new(self, stem: str, body: Json, text: Any, ending: str) -> str:
        """The part of a text that was not said yet: `.done` repeats the whole of it."""
        if not isinstance(text, str):
            return ""
        places = (body.get(name) for name in ("output_index", "content_index", "summary_index"))
        key = (stem, *map(str, places))
        said = self._said.get(key, 0)
        if ending == "delta":
            self._said[key] = said + len(text)
            return text
        self._said[key] = max(said, len(text))
        return text[said:]

    def _thought(self, name: str, text: str, body: Json) -> str:
        """Thoughts of several parts are paragraphs, as in a whole answer."""
        if name != "reasoning_content":
            return text
        place = ("thought", *(str(body.get(n)) for n in ("output_index", "summary_index")))
        is_next = self._has_thought and place not in self._said
        self._said[place], self._has_thought = 0, True
        return PARAGRAPH + text if is_next else text

    def _item(self, ending: str, item: Json, index: Any) -> list[Json]:
        kind = str(item.get("type"))
        if kind in CALLS:
            field = "arguments" if kind == "function_call" else "input"
            stem = {each: name for name, each in INPUTS.items()}[field]
            opened = self._open_call(item, index)
            ends = "done" if ending == "done" else "delta"
            text = self._new(stem, {"output_index": index}, item.get(field), ends)
            return opened + self._call_delta(index, text)
        if ending != "done":
            return []
        deltas = self._unsaid(item, index)
        return [*deltas, {"thinking_blocks": [dict(item)]}] if kind == "reasoning" else deltas

    def _unsaid(self, item: Json, index: Any) -> list[Json]:
        """Texts of an item that no event of their own said."""
        deltas: list[Json] = []
        for name in ("content", "summary"):
            for at, part in enumerate(item.get(name) or ()):
                kind = str(part.get("type")) if isinstance(part, Mapping) else ""
                stem = PARTS.get(kind)
                if stem is not None:
                    place = "summary_index" if name == "summary" else "content_index"
                    body = {"output_index": index, place: at, **part}
                    deltas += self._deltas(f"{stem}.done", body)
        return deltas

    def _open_call(self, item: Json, index: Any) -> list[Json]:
        if str(index) in self._calls:
            return []
        number = self._calls[str(index)] = len(self._calls)
        named = {"name": str(item.get("name") or "")}
        kind, said = "function", {**named, "arguments": ""}
        if item.get("type") == "custom_tool_call":
            self._has_custom.add(number)
            kind, said = "custom", {**named, "input": ""}
        call = {"index": number, "id": item.get("call_id"), "type": kind, kind: said}
        return [{"tool_calls": [call]}]

    def _call_delta(self, index: Any, text: str) -> list[Json]:
        number = self._calls.get(str(index))
        if number is None or not text:
            return []
        is_custom = number in self._has_custom
        said = {"custom": {"input": text}} if is_custom else {"function": {"arguments": text}}
        return [{"tool_calls": [{"index": number, **said}]}]
