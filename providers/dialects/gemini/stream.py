"""Streams of streamGenerateContent: each event is an answer, and their parts add up.

There is no event for the end: a stream is complete when its bytes end after every choice has a
finish reason. A choice may be finished by more than one event, and may say more after the first, so
its finish is told once, at the end. Usage is cumulative: the last value of each field wins.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ...errors import StreamError
from ...sse import SseEvent
from ...types import ChatChunk
from .failure import error_in, stream_error
from .response import (
    block_reason,
    blocked_ending,
    choice_index,
    finish,
    mappings,
    native_reason,
    parts_of,
    read_logprobs,
    read_part,
    read_usage,
)


@dataclass
class Choice:
    """What is known of one choice so far."""

    native: str | None = None
    calls: int = 0
    has_spoken: bool = False


class StreamReader:
    """Reads events in order; `close` tells the end, if it is one."""

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._created = int(time.time())
        self._usage: dict[str, Any] = {}
        self._choices: dict[int, Choice] = {}
        self._blocked: str | None = None
        self._has_ended = False

    def feed(self, event: SseEvent) -> list[ChatChunk]:
        """Chunks of one event; raises StreamError for an error event."""
        if self._has_ended:
            return []
        if event.data.startswith("[DONE]"):  # some compatible hosts say so
            return self.close()
        body = _document(event.data)
        self._id = str(body.get("responseId") or self._id)
        self._model = str(body.get("modelVersion") or self._model)
        self._blocked = block_reason(body) or self._blocked
        usage = body.get("usageMetadata")
        if isinstance(usage, Mapping):
            self._usage.update({k: v for k, v in usage.items() if v is not None})
        candidates = body.get("candidates") or []
        if not isinstance(candidates, list):
            raise StreamError("the candidates of an event are not a list")
        chunks = [
            chunk
            for position, candidate in enumerate(mappings(candidates))
            for chunk in self._read(candidate, choice_index(candidate, position))
        ]
        return chunks or [self._chunk()]

    def close(self) -> list[ChatChunk]:
        """The last chunks where the bytes end and the answer is whole; nothing where it was cut."""
        if self._has_ended:
            return []
        if self._choices:
            if any(choice.native is None for choice in self._choices.values()):
                return []
            chunks = [self._finish(index) for index in sorted(self._choices)]
        elif self._blocked is not None:
            delta = {"role": "assistant"}
            ending = blocked_ending(self._blocked)
            chunks = [self._chunk({"index": 0, "delta": delta, **ending})]
        else:
            return []
        self._has_ended = True
        return [*chunks, self._chunk(is_last=True)]

    def _read(self, candidate: Mapping[str, Any], index: int) -> list[ChatChunk]:
        choice = self._choices.setdefault(index, Choice())
        choice.native = native_reason(candidate) or choice.native
        chunks = []
        for part in parts_of(candidate):
            delta = read_part(part, self._id, index, choice.calls)
            choice.calls += "tool_calls" in delta
            if delta and delta != {"content": ""}:
                chunks.append(self._say(index, delta))
        logprobs = read_logprobs(candidate.get("logprobsResult"))
        if logprobs is not None:
            chunks.append(self._say(index, {}, logprobs))
        return chunks

    def _say(
        self, index: int, delta: Mapping[str, Any], logprobs: Mapping[str, Any] | None = None
    ) -> ChatChunk:
        return self._chunk(
            {
                "index": index,
                "delta": {**self._role(index), **delta},
                "logprobs": logprobs,
                "finish_reason": None,
            }
        )

    def _finish(self, index: int) -> ChatChunk:
        choice = self._choices[index]
        told = finish(choice.native, calls=choice.calls > 0)
        return self._chunk({"index": index, "delta": self._role(index), "logprobs": None, **told})

    def _role(self, index: int) -> dict[str, Any]:
        """The speaker, told with the first delta of a choice."""
        choice = self._choices[index]
        if choice.has_spoken:
            return {}
        choice.has_spoken = True
        return {"role": "assistant"}

    def _chunk(
        self, choice: Mapping[str, Any] | None = None, *, is_last: bool = False
    ) -> ChatChunk:
        return ChatChunk(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=[] if choice is None else [choice],
            usage=read_usage(self._usage),
            is_last=is_last,
        )


def _document(data: str) -> Mapping[str, Any]:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StreamError("an event of the stream is not JSON") from error
    failed = error_in(body)
    if failed is not None:
        raise stream_error(failed)
    if not isinstance(body, Mapping):
        raise StreamError("an event of the stream is not an object")
    return body
