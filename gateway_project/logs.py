"""Logs are JSON lines, one each, whatever text a caller or provider put into them."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

TEXT_MAX = 2048
ACCESS_SECONDS = 0.05
ACCESS_LINES_MAX = 1_000


class JsonFormatter(logging.Formatter):
    """One line of JSON: time, level, logger, message, and whatever `extra={"fields": ...}` adds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-4 * TEXT_MAX :]
        return orjson.dumps(line, default=str).decode()


class AccessLog:
    """One line per request, many lines a write: each write is a turn that others wait for.

    Lines are held for ACCESS_SECONDS at most, and for less where there are ACCESS_LINES_MAX.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def add(self, fields: dict[str, Any]) -> None:
        """Called in the loop that serves."""
        line = {
            "time": datetime.now(UTC),
            "level": "info",
            "logger": "access",
            "message": "request",
            **fields,
        }
        self._lines.append(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(ACCESS_SECONDS, self.flush)
        elif len(self._lines) >= ACCESS_LINES_MAX:
            self.flush()

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            try:
                sys.stderr.buffer.write(b"".join(lines))
                sys.stderr.flush()
            except (OSError, ValueError):  # nobody reads the log any more: serving goes on
                return


def _cut(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= TEXT_MAX else clean[:TEXT_MAX] + "…"
