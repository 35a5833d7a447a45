"""Cohere's chat API, version 2, outward: requests, whole answers, streams, embeddings.

https://docs.cohere.com/reference/chat, 2026-11. A reasoning model's thinking and a tool plan are
both `reasoning_content` here, for both are what the model says to itself; with tool calls it goes
back to Cohere as the tool plan.
"""

from __future__ import annotations

from ..answers import read_error
from .request import build_request
from .response import read_response, read_usage
from .stream import StreamReader

__all__ = [
    "StreamReader",
    "build_request",
    "read_error",
    "read_response",
    "read_usage",
]
