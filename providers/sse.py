"""Bytes of a server-sent-event stream into events. Sans-I/O, bounded, fast for whole events.

Lines end at LF, CRLF or CR and nowhere else: U+2028, U+2029 and U+0085 are text. However the
bytes are split, the events are the same. Comments, `id` and `retry` are passed over.
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, 2026-11.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import UnusableAnswer

EVENT_BYTES_MAX = 1_048_576
EVENT_LINES_MAX = 10_000
LINE_END = re.compile(rb"\r\n|\n|\r")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PLAIN, PLAIN_BYTES = "data: ", b"data: "
BETWEEN = "\n\n" + PLAIN
EVENT_END = b"\n\n"
NAME = "event: "
NAMED = re.compile(f"{NAME}([^\n]*)\n{PLAIN}([^\n]*)\n\n")
NAMED_EXTRA = len(f"{NAME}\n{PLAIN}\n\n")


class SseEvent(NamedTuple):
    """`event` is the name, or empty; `data` is all data lines, joined by line feeds."""

    event: str
    data: str


class SseSplitter:
    """Feed it bytes as they come; it gives back the events that are complete."""

    def __init__(self, event_bytes_max: int = EVENT_BYTES_MAX) -> None:
        self._bytes_max = event_bytes_max
        self._rest: list[bytes] = []  # of a line without its end, joined once it has one
        self._rest_bytes = 0
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._is_first = True
        self._is_after_cr = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that end in `data`; raises UnusableAnswer for an event over the bound."""
        if self._is_one_event(data):
            return [SseEvent("", data[len(PLAIN) : -2].decode("utf-8", "replace"))]
        if self._is_first or self._is_after_cr:
            data = self._trimmed(data)
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        if self._rest:
            data = b"".join([*self._rest, data])
            self._rest, self._rest_bytes = [], 0
        self._is_after_cr = data.endswith(b"\r")
        return self._split(data)

    @property
    def is_between(self) -> bool:
        """Nothing is pending: what comes next begins an event."""
        return not (self._is_after_cr or self._rest or self._data or self._name)

    def _is_one_event(self, data: bytes) -> bool:
        """Nothing is pending, and this is one whole event of one line: most of what comes."""
        return (
            data.startswith(PLAIN_BYTES)
            and data.endswith(b"\n\n")
            and data.find(b"\n") == len(data) - 2
            and not self._is_first
            and self.is_between
            and b"\r" not in data
            and len(data) <= self._bytes_max
        )

    def close(self) -> list[SseEvent]:
        """The event that the stream's end completes, if any."""
        events: list[SseEvent] = []
        self._line(b"".join(self._rest), events)
        self._rest, self._rest_bytes = [], 0
        self._line(b"", events)
        return events

    def _trimmed(self, data: bytes) -> bytes:
        """Without the LF whose CR has ended a line already, and without a byte order mark."""
        if self._is_after_cr and data:
            data, self._is_after_cr = data.removeprefix(b"\n"), False
        if self._is_first:
            data = b"".join([*self._rest, data])
            self._rest, self._rest_bytes = [], 0
            self._is_first = len(data) < 3 and BYTE_ORDER_MARK.startswith(data)
            data = data.removeprefix(BYTE_ORDER_MARK)
        return data

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        self._rest.append(data)
        self._rest_bytes += len(data)
        if self._rest_bytes > self._bytes_max:
            raise UnusableAnswer(f"a line of the stream exceeds {self._bytes_max} bytes")

    def _split(self, data: bytes) -> list[SseEvent]:
        """Line by line to the end of what is pending, whole events at once, then the rest."""
        events: list[SseEvent] = []
        start = 0
        if self._name or self._data:
            start = self._lines(data, 0, events, is_one=True)
        end = data.rfind(b"\n\n", start) + 2
        if end > start + 1 and end - start <= self._bytes_max and b"\r" not in data:
            self._whole(data[start:end].decode("utf-8", "replace"), events)
            start = end
        if start < len(data):
            start = self._lines(data, start, events, is_one=False)
            self._keep(data[start:])
        return events

    def _whole(self, text: str, events: list[SseEvent]) -> None:
        """Events that end in a blank line, none pending; most have one `data` line each."""
        if text.startswith(PLAIN):
            found = text[len(PLAIN) : -2].split(BETWEEN)
            if text.count("\n") == 2 * len(found):
                events += [SseEvent("", each) for each in found]
                return
        elif text.startswith(NAME):
            named = NAMED.findall(text)
            if sum(len(name) + len(each) + NAMED_EXTRA for name, each in named) == len(text):
                events += [SseEvent(name, each) for name, each in named]
                return
        for line in text.split("\n")[:-1]:
            self._text(line, len(line), events)

    def _lines(self, data: bytes, start: int, events: list[SseEvent], *, is_one: bool) -> int:
        """Where the lines end; with `is_one` the first event is enough."""
        for match in LINE_END.finditer(data, start):
            self._line(data[start : match.start()], events)
            start = match.end()
            if is_one and events:
                break
        return start

    def _line(self, line: bytes, events: list[SseEvent]) -> None:
        self._text(line.decode("utf-8", "replace"), len(line), events)

    def _text(self, line: str, size: int, events: list[SseEvent]) -> None:
        if not line:
            if self._data:
                events.append(SseEvent(self._name, "\n".join(self._data)))
            self._name, self._data, self._size = "", [], 0
            return
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
        elif name == "event":
            self._name = value.removeprefix(" ")
        else:
            return
        self._size += size
        if self._size > self._bytes_max:
            raise UnusableAnswer(f"an event of the stream exceeds {self._bytes_max} bytes")
        if len(self._data) > EVENT_LINES_MAX:
            raise UnusableAnswer(f"an event of the stream exceeds {EVENT_LINES_MAX} lines")
