"""Anthropic's whole answers, and its counts of tokens, in our terms."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...errors import UnusableAnswer
from ...types import ChatResponse, Native, Usage
from ..answers import embedded_error, service_tier, token_counts
from ..encoding import arguments_text
from .request import DIALECT

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
THINKING = frozenset({"thinking", "redacted_thinking"})


def read_usage(raw: Any) -> Usage | None:
    """Usage in our terms: Anthropic's input excludes what was read from or written to a cache.

    Fast answers have a price of their own, so `speed` counts before the service tier.
    """
    if not isinstance(raw, Mapping) or raw.get("input_tokens") is None:
        return None
    written, tools = raw.get("cache_creation") or {}, raw.get("server_tool_use") or {}
    if not isinstance(written, Mapping) or not isinstance(tools, Mapping):
        return None
    counts = token_counts(
        raw.get("input_tokens"),
        raw.get("output_tokens"),
        raw.get("cache_read_input_tokens"),
        raw.get("cache_creation_input_tokens"),
        written.get("ephemeral_1h_input_tokens"),
        tools.get("web_search_requests"),
    )
    if counts is None:
        return None
    fresh, output, read, write, write_1h, searches = counts
    is_fast = raw.get("speed") == "fast"
    return Usage(
        input_tokens=fresh + read + write,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=min(write_1h, write),
        web_searches=searches,
        service_tier="fast" if is_fast else service_tier(raw.get("service_tier")),
    )


def read_response(body: Any) -> ChatResponse:
    """A whole answer; raises UnusableAnswer for a body that is none."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    if body.get("error"):
        raise embedded_error(body["error"])
    blocks = body.get("content")
    if not isinstance(blocks, list) or not all(isinstance(block, Mapping) for block in blocks):
        raise UnusableAnswer("the provider's answer has no content")
    native = body.get("stop_reason")
    choice = {
        "index": 0,
        "message": _message(blocks),
        "finish_reason": FINISH.get(str(native), "stop"),
        "logprobs": None,
    }
    return ChatResponse(
        id=str(body.get("id") or ""),
        model=str(body.get("model") or ""),
        created=int(time.time()),
        choices=[choice],
        usage=read_usage(body.get("usage")),
        native_finish_reasons=[native],
        native=Native(DIALECT, body),
    )


def _message(blocks: list[Mapping[str, Any]]) -> dict[str, Any]:
    texts = [block.get("text", "") for block in blocks if block.get("type") == "text"]
    calls = [
        {
            "id": block.get("id"),
            "type": "function",
            "function": {
                "name": block.get("name"),
                "arguments": arguments_text(block.get("input") or {}),
            },
        }
        for block in blocks
        if block.get("type") == "tool_use"
    ]
    thinking = [dict(block) for block in blocks if block.get("type") in THINKING]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    if calls:
        message["tool_calls"] = calls
    if thinking:
        message["reasoning_content"] = "".join(block.get("thinking", "") for block in thinking)
        message["thinking_blocks"] = thinking
    return message
