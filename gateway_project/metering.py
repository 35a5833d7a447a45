"""What an answer says, noted in its attempt for the bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from providers.types import ChatChunk, ChatResponse

from .facts import Attempt


def note(attempt: Attempt, chunks: Sequence[ChatChunk]) -> None:
    for chunk in chunks:
        if chunk.usage is not None:
            attempt.usage = chunk.usage
        for choice in chunk.choices:
            attempt.text.append(_text_of_delta(choice.get("delta")))
            if choice.get("finish_reason"):
                attempt.has_finished = True


def says_something(chunk: ChatChunk) -> bool:
    """Is there anything for the caller in it, be it only that the answer ends?"""
    return chunk.is_last or any(
        choice.get("finish_reason") or _text_of_delta(choice.get("delta"))
        for choice in chunk.choices
    )


def text_of(response: ChatResponse) -> str:
    return "".join(_text_of_delta(choice.get("message")) for choice in response.choices)


def _text_of_delta(delta: Mapping[str, Any] | None) -> str:
    """Whatever a delta or message says that a provider bills as output."""
    if not delta:
        return ""
    content = delta.get("content")
    if len(delta) == 1 and isinstance(content, str):  # nearly every chunk
        return content
    parts = [content, delta.get("refusal"), delta.get("reasoning_content")]
    for call in delta.get("tool_calls") or []:
        function = call.get("function") or {}
        parts += [function.get("name"), function.get("arguments")]
    return "".join(part for part in parts if isinstance(part, str))
