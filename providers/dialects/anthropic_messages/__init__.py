"""Anthropic's messages API, outward: requests, whole answers and streams."""

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
