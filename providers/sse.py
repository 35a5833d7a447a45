"""Bytes of a server-sent-event stream into events. Sans-I/O, bounded, fast for whole events.

Lines end at LF, CRLF or CR and nowhere else: U+2028 and its kind are text. However the bytes are
split, the events are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import UnusableAnswer

EVENT_BYTES_MAX = 1_048_576
LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class SseEvent:
    """`event` is the name, or empty; `data` is all data lines, joined by line feeds."""

    event: str
    data: str


class SseSplitter:
    """Feed it bytes as they come; it gives back the events that are complete."""

    def __init__(self, event_bytes_max: int = EVENT_BYTES_MAX) -> None:
        self._bytes_max = event_bytes_max
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._is_first = True

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that end in `data`; raises UnusableAnswer for an event over the bound."""
        buffer = self._rest + data
        if self._is_first and len(buffer) >= 3:
            buffer = buffer.removeprefix(b"\xef\xbb\xbf")
            self._is_first = False
        # A CR at the very end may be half of a CRLF: it waits for what follows.
        end = len(buffer) - 1 if buffer.endswith(b"\r") else len(buffer)
        events: list[SseEvent] = []
        start = 0
        for match in LINE_END.finditer(buffer, 0, end):
            self._line(buffer[start : match.start()], events)
            start = match.end()
        self._rest = buffer[start:]
        if len(self._rest) > self._bytes_max:
            raise UnusableAnswer(f"a line of the stream exceeds {self._bytes_max} bytes")
        return events

    def close(self) -> list[SseEvent]:
        """The event that the stream's end completes, if any."""
        events: list[SseEvent] = []
        self._line(self._rest.rstrip(b"\r"), events)
        self._rest = b""
        self._line(b"", events)
        return events

    def _line(self, line: bytes, events: list[SseEvent]) -> None:
        if not line:
            if self._data:
                events.append(SseEvent(self._name, "\n".join(self._data)))
            self._name, self._data, self._size = "", [], 0
            return
        self._size += len(line)
        if self._size > self._bytes_max:
            raise UnusableAnswer(f"an event of the stream exceeds {self._bytes_max} bytes")
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
        elif name == b"event":
            self._name = text
