"""Gemini's generateContent, outward: requests, whole answers and streams.

https://ai.google.dev/api/generate-content, 2026-11. What stands where:

| file | what |
|---|---|
| `request` | the request's body: options, tools, thinking |
| `contents`, `parts` | messages as turns, and what stands in a turn |
| `thinking` | how much the model may think, in the words of its generation |
| `signatures` | how a thought signature rides in a message of OpenAI's shape and back |
| `response`, `stream` | whole answers, streams |
| `failure` | error documents |
"""

from __future__ import annotations

from .failure import read_error
from .request import build_request
from .response import read_response, read_usage
from .stream import StreamReader

__all__ = ["StreamReader", "build_request", "read_error", "read_response", "read_usage"]
