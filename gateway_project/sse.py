"""Chunks into the bytes of server-sent events."""

from __future__ import annotations

from typing import Any

import orjson

from .errors import Refusal

DONE = b"data: [DONE]\n\n"


def event(document: Any) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def written(text: bytes) -> bytes:
    """An event whose document is written already."""
    return b"data: " + text + b"\n\n"


def named(document: Any) -> bytes:
    """An event whose name is its document's `type`, for clients that go by the name."""
    name: str = document["type"]
    return b"event: " + name.encode() + b"\n" + event(document)


def error(refusal: Refusal) -> bytes:
    """An error after the head has left: one event, and no `[DONE]` behind it."""
    return event(refusal.body())
