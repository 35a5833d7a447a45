"""OpenAI chat completions: the canonical dialect, outward to providers and inward from callers.

https://platform.openai.com/docs/api-reference/chat, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson

from ..errors import StreamError, UnusableAnswer
from ..sse import EVENT_END, PLAIN_BYTES, SseEvent
from ..types import ChatChunk, ChatRequest, ChatResponse, HttpRequest, Json, Usage
from . import openai_wording
from .answers import embedded_error, read_error, read_error_object
from .compatible import (
    ChoiceReader,
    is_one_plain,
    usage_in,
    whole_choices,
)
from .encoding import encoded
from .mould import MOULDS_MAX, Mould, is_bare, mould_of
from .openai_request import OBJECTS, parse_request
from .openai_usage import read_usage, write_usage

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
}
OWN = frozenset({"id", "object", "created", "model", "choices", "usage"})
PADDING = "obfuscation"  # of another length with each event, so that lengths tell nothing
NO_USAGE = b',"usage":null'


def build_request(
    request: ChatRequest,
    *,
    model: str,
    cap_field: str = "max_completion_tokens",
    takes_stream_options: bool = True,
    reads_reasoning: bool = True,
) -> HttpRequest:
    """The request as it goes out; a stream is asked for its usage unless the host refuses that.

    `dropped` names what other dialects say and this one has no words for.
    """
    said = openai_wording.of(request, reads_reasoning=reads_reasoning)
    body: dict[str, Any] = {**said.options, "model": model, "messages": said.messages}
    if request.max_tokens is not None:
        body[cap_field] = request.max_tokens
    options = body.pop("stream_options", None) or {}
    if request.stream:
        body["stream"] = True
        if takes_stream_options:
            body["stream_options"] = {**options, "include_usage": True}
    accept = "text/event-stream" if request.stream else "application/json"
    headers = {**HEADERS, "accept": accept}
    return HttpRequest("/chat/completions", headers, encoded(body), said.dropped)


def read_response(body: Any) -> ChatResponse:
    """A whole answer; raises UnusableAnswer for a body that is none."""
    if not isinstance(body, OBJECTS):
        raise UnusableAnswer("the provider's answer is not an object")
    if body.get("error"):
        raise embedded_error(body["error"])
    choices = body.get("choices")
    if not isinstance(choices, list):
        raise UnusableAnswer("the provider's answer has no choices")
    choices = [_with_message(choice) for choice in choices]
    id = str(body.get("id") or "")
    return ChatResponse(
        id=id,
        model=str(body.get("model") or ""),
        created=_created(body),
        choices=whole_choices(choices, id or uuid4().hex),
        usage=read_usage(usage_in(body, choices), body.get("service_tier")),
        native_finish_reasons=[choice.get("finish_reason") for choice in choices],
        extra=_beyond(body),
    )


def _with_message(choice: Any) -> Mapping[str, Any]:
    """A choice whose whole text was filtered away comes without a message, and is billed."""
    if not isinstance(choice, OBJECTS):
        raise UnusableAnswer("the provider's answer has no choices")
    if isinstance(choice.get("message"), OBJECTS):
        return choice
    if not choice.get("finish_reason"):
        raise UnusableAnswer("a choice of the provider's answer has no message")
    return {**choice, "message": {"role": "assistant", "content": None}}


def _created(body: Mapping[str, Any]) -> int:
    created = body.get("created")
    if type(created) is int:
        return created
    return int(created) if isinstance(created, float) else 0


class StreamReader:
    """Reads events in order; what follows the end is ignored.

    Nearly every event says what the one before it said, but for its text: where that is so, its
    JSON is not even read.
    """

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._created = 0
        self._tier: Any = None
        self._salt = ""
        self._choices = ChoiceReader()
        self._has_ended = False
        self._rest: dict[str, Any] | None = None  # of the last event, if its text can be passed on
        self._extra: Json = {}
        self._choice: Json = {}
        self._has_usage = False
        self._mould: Mould | None = None
        self._moulds_left = MOULDS_MAX

    def alike(self, data: bytes) -> ChatChunk | None:
        """The chunk of a whole event, as it came, that differs from one before in its text alone.

        None says nothing of the event: it is to be split and fed.
        """
        said = None if self._mould is None else self._mould.text_in(data)
        if said is None:
            return None
        text = data[len(PLAIN_BYTES) : -len(EVENT_END)]
        return ChatChunk(
            self._id,
            self._model,
            self._created,
            [{**self._choice, "delta": {"content": said}}],
            extra=self._extra,
            text=text.replace(NO_USAGE, b"") if self._has_usage else text,
        )

    def feed(self, event: SseEvent) -> list[ChatChunk]:
        """Chunks of one event; raises StreamError for an error event."""
        if self._has_ended:
            return []
        text = event.data
        if text.startswith("[DONE]"):
            self._has_ended, self._mould = True, None
            return [ChatChunk(self._id, self._model, self._created, is_last=True)]
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if type(body) is not dict:
            raise StreamError("an event of the stream is not an object")
        choices, padding = body.pop("choices", None), body.pop(PADDING, None)
        if body == self._rest and is_one_plain(choices) and event.event != "error":
            passed_on = _without_usage(text, body)
            if self._mould is None and passed_on is not None and not event.event:
                self._take_mould(event, body, choices[0])
            return [
                ChatChunk(
                    self._id,
                    self._model,
                    self._created,
                    choices,
                    extra=self._extra,
                    text=passed_on,
                )
            ]
        if body.get("error") or event.event == "error":
            message, code, _ = read_error_object(body.get("error") or body)
            raise StreamError(message or "the provider reported an error", code=code)
        chunk = self._chunk(body, choices or [], text)
        return [
            chunk if padding is None else replace(chunk, extra={**chunk.extra, PADDING: padding})
        ]

    def _take_mould(self, event: SseEvent, body: dict[str, Any], choice: Json) -> None:
        """Try some times a stream: there are hosts that write each event in another way."""
        content = choice["delta"]["content"]
        if not self._moulds_left or not is_bare(content):
            return
        self._moulds_left -= 1

        def reads(data: str, said: str) -> bool:
            parsed = orjson.loads(data)
            choices, _ = parsed.pop("choices"), parsed.pop(PADDING, None)
            return bool(parsed == body and choices == [{**choice, "delta": {"content": said}}])

        self._choice, self._has_usage = choice, "usage" in body
        self._mould = mould_of(event, "content", content, reads)

    def _chunk(self, body: dict[str, Any], choices: Any, text: str) -> ChatChunk:
        """`body` is all of the event but its choices and its padding."""
        self._id = str(body.get("id") or self._id)
        self._model = str(body.get("model") or self._model)
        self._created = _created(body) or self._created
        self._tier = body.get("service_tier") or self._tier
        if not isinstance(choices, list):
            raise StreamError("the choices of an event are not a list")
        if not self._id and not self._salt:
            self._salt = uuid4().hex
        kept = self._choices.read(choices, self._id or self._salt)
        usage = usage_in(body, choices)
        is_whole = usage is None and kept == choices and _is_whole(body)
        self._rest, self._mould = body if is_whole else None, None
        self._extra = {} if body.keys() <= OWN else _beyond(body)
        return ChatChunk(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=kept,
            usage=None if usage is None else read_usage(usage, self._tier),
            extra=self._extra,
            text=_without_usage(text, body) if is_whole else None,
        )


def _beyond(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in OWN}


def _is_whole(body: Mapping[str, Any]) -> bool:
    """Would `write_chunk` say just the same of it, for a caller who asked for no usage?"""
    return (
        body.get("object") == "chat.completion.chunk"
        and type(body.get("id")) is str
        and type(body.get("model")) is str
        and type(body.get("created")) is int
        and bool(body["id"] and body["model"] and body["created"])
    )


def _without_usage(text: str, body: Mapping[str, Any]) -> bytes | None:
    """An event's text without the empty usage that OpenAI puts into each, as we ask it to.

    It is found by its name, which must come once; else, and where the text is of several lines or
    ends in a space, it cannot be passed on.
    """
    if "\n" in text or not text.endswith("}"):
        return None
    if "usage" not in body:
        return text.encode()
    data = text.encode()
    return data.replace(NO_USAGE, b"") if data.count(b'"usage"') == 1 and NO_USAGE in data else None


def write_response(response: ChatResponse) -> dict[str, Any]:
    """A `chat.completion` object."""
    return {
        **response.extra,
        "id": response.id,
        "object": "chat.completion",
        "created": response.created,
        "model": response.model,
        "choices": list(response.choices),
        "usage": None if response.usage is None else write_usage(response.usage),
    }


def write_chunk(chunk: ChatChunk, *, include_usage: bool) -> bytes | None:
    """The JSON of a `chat.completion.chunk`; None where there is nothing for this caller to see.

    A caller that asked for usage gets it in `write_final`, once, as OpenAI sends it.
    """
    if not chunk.choices:
        return None
    if chunk.text is not None:
        return b"".join((chunk.text[:-1], NO_USAGE, b"}")) if include_usage else chunk.text
    document: dict[str, Any] = {
        **chunk.extra,
        "id": chunk.id,
        "object": "chat.completion.chunk",
        "created": chunk.created,
        "model": chunk.model,
        "choices": list(chunk.choices),
    }
    if include_usage:
        document["usage"] = None
    return orjson.dumps(document)


def write_final(chunk: ChatChunk, usage: Usage) -> dict[str, Any]:
    """The last chunk of a stream with usage: no choices, the whole usage."""
    return {
        "id": chunk.id,
        "object": "chat.completion.chunk",
        "created": chunk.created,
        "model": chunk.model,
        "choices": [],
        "usage": write_usage(usage),
    }


__all__ = [
    "StreamReader",
    "build_request",
    "parse_request",
    "read_error",
    "read_response",
    "write_chunk",
    "write_final",
    "write_response",
]
