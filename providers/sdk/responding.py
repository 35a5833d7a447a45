"""How a target is asked for a Response: by its own API, or through the chat that it speaks.

| the row | what is sent | what comes back |
|---|---|---|
| `has_responses` | the caller's document, passed through | the provider's own, as it is |
| any other | said in its dialect; Unsupported for what it has no words for | written anew |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson

from .. import client
from ..dialects import openai_responses
from ..dialects.answers import read_error_object
from ..dialects.encoding import encoded
from ..dialects.openai_chat import HEADERS
from ..errors import ConnectionLost, StreamError, UnusableAnswer
from ..routing import Target
from ..sse import SseSplitter
from ..types import ChatRequest, HttpRequest, Usage
from . import exchange
from .arguments import Call
from .gathering import count_usage, gather_choices

TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})


class Responding:
    """One call's targets, one after the other; `read` and `reader` are for the last one built."""

    def __init__(self) -> None:
        self._dialect = ""
        self._said: ChatRequest | None = None

    def build(self, call: Call, target: Target) -> tuple[HttpRequest, list[str]]:
        body = {**call.request.options, "model": target.model}
        if call.request.stream:
            body["stream"] = True
        self._dialect, self._said = target.provider.dialect, None
        if target.provider.has_responses:
            accept = "text/event-stream" if call.request.stream else "application/json"
            built = HttpRequest("/responses", {**HEADERS, "accept": accept}, encoded(body))
            return built, exchange.allowed(call, target, list(call.unsaid))
        self._said = openai_responses.parse_request(body)
        return exchange.build_chat(replace(call, request=self._said), target)

    def read(self, document: Any) -> tuple[Mapping[str, Any], Usage | None]:
        """A Response object and its usage; raises UnusableAnswer for a body that is none."""
        if self._said is None:
            return checked(document), _usage(document)
        answer = client.DIALECTS[self._dialect].read_response(document)
        usage = answer.usage or _counted(self._said, answer.choices)
        written = openai_responses.write_response(
            answer, self._said, response_id=new_id(), usage=usage
        )
        return written, usage

    def reader(self) -> Events | WrittenEvents:
        return Events() if self._said is None else WrittenEvents(self._dialect, self._said)


def checked(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or not isinstance(document.get("output"), list):
        raise UnusableAnswer("the provider's answer has no output")
    return document


def _usage(document: Mapping[str, Any]) -> Usage | None:
    return openai_responses.read_usage(document.get("usage"), document.get("service_tier"))


def new_id() -> str:
    return f"resp_{uuid4().hex}"


def _counted(request: ChatRequest, choices: Sequence[Mapping[str, Any]]) -> Usage:
    tools = request.options.get("tools") or ()
    return count_usage(request.messages, tools, choices, request.model)


class WrittenEvents:
    """Bytes of a chat's stream into the events of a Responses stream."""

    def __init__(self, dialect: str, request: ChatRequest) -> None:
        self._reading = exchange.Reading(dialect)
        self._writer = openai_responses.StreamWriter(request, response_id=new_id())
        self._request = request
        self._pieces: list[Any] = []
        self.usage: Usage | None = None
        self.has_ended = False

    def feed(self, data: bytes) -> list[Any]:
        """Raises ConnectionLost where the bytes end before the provider's own end."""
        events: list[Any] = []
        for chunk in self._reading.feed(data):
            self.usage = chunk.usage or self.usage
            self._pieces += chunk.choices
            events += self._writer.write(chunk)
        if self._reading.has_ended and not self.has_ended:
            self.usage = self.usage or _counted(self._request, gather_choices(self._pieces))
            events += self._writer.finish(self.usage)
            self.has_ended = True
        return events


class Events:
    """Bytes into a provider's own events; the terminal one holds the whole response."""

    def __init__(self) -> None:
        self._splitter = SseSplitter()
        self.usage: Usage | None = None
        self.has_ended = False

    def feed(self, data: bytes) -> list[Any]:
        """Raises StreamError for an error event, ConnectionLost without a terminal one."""
        found: list[Any] = []
        for event in self._splitter.feed(data) if data else self._splitter.close():
            document = self._document(event.data)
            if document is not None and not self.has_ended:
                found.append(document)
                self.has_ended = document.get("type") in TERMINAL
        if self.has_ended and found:
            self.usage = _usage(checked(found[-1].get("response")))
        if not data and not self.has_ended:
            raise ConnectionLost("the provider ended the stream before its end")
        return found

    def _document(self, text: str) -> dict[str, Any] | None:
        if text.startswith("[DONE]"):
            return None
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise StreamError("an event of the stream is not JSON") from error
        if not isinstance(document, dict):
            raise StreamError("an event of the stream is not an object")
        if document.get("type") == "error" or document.get("error"):
            message, code, _ = read_error_object(document.get("error") or document)
            raise StreamError(message or "the provider reported an error", code=code)
        return document
