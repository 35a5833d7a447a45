"""The words of `/api/chat` and `/api/chat/stream`: a chat call for people and scripts."""

from __future__ import annotations

from typing import Any

from providers.dialects import openai_chat
from providers.errors import BadRequest
from providers.types import ChatRequest, Usage

from .errors import InvalidRequest, of_bad_request

FIELDS = {"model", "messages", "max_tokens", "temperature", "provider"}


def read_chat(document: Any, *, is_stream: bool) -> ChatRequest:
    """The body of `/api/chat` and `/api/chat/stream`; raises InvalidRequest naming the field."""
    if isinstance(document, dict):
        for name in document:
            if name not in FIELDS:
                raise InvalidRequest(
                    f"Unknown field {name[:100]!r}.", param=name[:100], code="unknown_parameter"
                )
        document = {**document, "stream": is_stream}
    try:
        return openai_chat.parse_request(document)
    except BadRequest as error:
        raise of_bad_request(error) from error


def write_usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
