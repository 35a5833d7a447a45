"""OpenAI chat completions: the canonical dialect, outward to providers and inward from callers.

https://platform.openai.com/docs/api-reference/chat, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..errors import StreamError, UnusableAnswer
from ..sse import SseEvent
from ..types import ChatChunk, ChatRequest, ChatResponse, HttpRequest, Usage
from . import openai_wording
from .answers import embedded_error, read_error, read_error_object, token_counts
from .openai_request import parse_request

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
}
OWN = frozenset({"id", "object", "created", "model", "choices", "usage"})


def build_request(
    request: ChatRequest, *, model: str, cap_field: str = "max_completion_tokens"
) -> HttpRequest:
    """The request as it goes out; a stream is always asked for its usage.

    `dropped` names what other dialects say and this one has no words for.
    """
    said = openai_wording.of(request)
    body: dict[str, Any] = {**said.options, "model": model, "messages": said.messages}
    if request.max_tokens is not None:
        body[cap_field] = request.max_tokens
    if request.stream:
        options = body.get("stream_options") or {}
        body["stream"] = True
        body["stream_options"] = {**options, "include_usage": True}
    accept = "text/event-stream" if request.stream else "application/json"
    headers = {**HEADERS, "accept": accept}
    return HttpRequest("/chat/completions", headers, orjson.dumps(body), said.dropped)


def read_response(body: Any) -> ChatResponse:
    """A whole answer; raises UnusableAnswer for a body that is none."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    if body.get("error"):
        raise embedded_error(body["error"])
    choices = body.get("choices")
    if not isinstance(choices, list) or not all(isinstance(each, Mapping) for each in choices):
        raise UnusableAnswer("the provider's answer has no choices")
    choices = [_with_message(choice) for choice in choices]
    return ChatResponse(
        id=str(body.get("id") or ""),
        model=str(body.get("model") or ""),
        created=_created(body),
        choices=choices,
        usage=read_usage(body.get("usage")),
        native_finish_reasons=[choice.get("finish_reason") for choice in choices],
        extra={name: value for name, value in body.items() if name not in OWN},
    )


def _with_message(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """A choice whose whole text was filtered away comes without a message, and is billed."""
    if isinstance(choice.get("message"), Mapping):
        return choice
    if not choice.get("finish_reason"):
        raise UnusableAnswer("a choice of the provider's answer has no message")
    return {**choice, "message": {"role": "assistant", "content": None}}


def _created(body: Mapping[str, Any]) -> int:
    created = body.get("created")
    return int(created) if isinstance(created, int | float) else 0


def read_usage(raw: Any) -> Usage | None:
    """Usage in our terms; None where it is absent or absurd."""
    if not isinstance(raw, Mapping) or raw.get("prompt_tokens") is None:
        return None
    prompt = raw.get("prompt_tokens_details") or {}
    completion = raw.get("completion_tokens_details") or {}
    if not isinstance(prompt, Mapping) or not isinstance(completion, Mapping):
        return None
    counts = token_counts(
        raw.get("prompt_tokens"),
        raw.get("completion_tokens"),
        prompt.get("cached_tokens"),
        prompt.get("cache_write_tokens"),
        completion.get("reasoning_tokens"),
    )
    if counts is None:
        return None
    given, answered, cached, written, reasoning = counts
    if cached + written > given:
        return None
    return Usage(
        input_tokens=given,
        output_tokens=answered,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(reasoning, answered),
    )


class StreamReader:
    """Reads events in order; what follows the end is ignored."""

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._created = 0
        self._has_ended = False

    def feed(self, event: SseEvent) -> list[ChatChunk]:
        """Chunks of one event; raises StreamError for an error event."""
        if self._has_ended:
            return []
        if event.data.startswith("[DONE]"):
            self._has_ended = True
            return [ChatChunk(self._id, self._model, self._created, is_last=True)]
        try:
            body = orjson.loads(event.data)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if not isinstance(body, Mapping):
            raise StreamError("an event of the stream is not an object")
        if body.get("error") or event.event == "error":
            message, code, _ = read_error_object(body.get("error") or body)
            raise StreamError(message or "the provider reported an error", code=code)
        return [self._chunk(body)]

    def _chunk(self, body: Mapping[str, Any]) -> ChatChunk:
        self._id = str(body.get("id") or self._id)
        self._model = str(body.get("model") or self._model)
        self._created = _created(body) or self._created
        choices = body.get("choices") or []
        if not isinstance(choices, list):
            raise StreamError("the choices of an event are not a list")
        return ChatChunk(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=[choice for choice in choices if isinstance(choice, Mapping)],
            usage=read_usage(body.get("usage")),
            extra={name: value for name, value in body.items() if name not in OWN},
        )


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


def write_chunk(chunk: ChatChunk, *, include_usage: bool) -> dict[str, Any] | None:
    """A `chat.completion.chunk`; None where there is nothing for this caller to see.

    A caller that asked for usage gets it in `write_final`, once, as OpenAI sends it.
    """
    if not chunk.choices:
        return None
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
    return document


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


def write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


__all__ = [
    "StreamReader",
    "build_request",
    "parse_request",
    "read_error",
    "read_response",
    "read_usage",
    "write_chunk",
    "write_final",
    "write_response",
    "write_usage",
]
