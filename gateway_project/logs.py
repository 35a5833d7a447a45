"""Logs are JSON lines, one each, whatever text a caller or provider put into them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson

TEXT_MAX = 2048


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


def _cut(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= TEXT_MAX else clean[:TEXT_MAX] + "…"
