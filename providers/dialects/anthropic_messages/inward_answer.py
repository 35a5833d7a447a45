"""An answer, and an error, as Anthropic's messages API gives them. Pure.

https://platform.claude.com/docs/en/api/messages and /errors, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...types import ChatResponse, Json, Usage, native_to
from .request import DIALECT
from .response import read_response

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
ERRORS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def write_response(response: ChatResponse) -> dict[str, Any]:
    """A `message`. Where the provider spoke Anthropic's dialect too, its own blocks are given."""
    usage = write_usage(response.usage or Usage())
    own = native_to(DIALECT, response.native)
    if own and read_response(own).choices == response.choices:
        return {**own, "id": message_id(response.id), "usage": own.get("usage") or usage}
    choice: Json = response.choices[0] if response.choices else {}
    message = choice.get("message") or {}
    blocks = [*_thinking(message), *_texts(message), *_calls(message)]
    return {
        "id": message_id(response.id),
        "type": "message",
        "role": "assistant",
        "model": response.model,
        "content": blocks,
        "stop_reason": stop_reason(
            choice.get("finish_reason"),
            has_calls=bool(message.get("tool_calls")),
            has_refused=bool(message.get("refusal")),
        ),
        "stop_sequence": None,
        "usage": usage,
    }


def write_usage(usage: Usage) -> dict[str, Any]:
    """Anthropic's input leaves out what was read from or written to a cache."""
    hour = usage.cache_write_1h_tokens
    return {
        "input_tokens": usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens - hour,
            "ephemeral_1h_input_tokens": hour,
        },
    }


def write_error(status: int, message: str, request_id: str | None = None) -> dict[str, Any]:
    """The body of an error answer, and of an `error` event."""
    kind = ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def message_id(id: str) -> str:
    return id if id.startswith("msg_") else f"msg_{id}"


def stop_reason(finish: str | None, *, has_calls: bool, has_refused: bool = False) -> str:
    """OpenAI says `stop` after a call that it was forced to make, and after a refusal."""
    if has_refused:
        return "refusal"
    if has_calls and finish in {None, "stop"}:
        return "tool_use"
    return STOP_REASONS.get(str(finish), "end_turn")


def _thinking(message: Json) -> list[dict[str, Any]]:
    """Thinking with its signature, or unsigned where the model does not sign it."""
    blocks = message.get("thinking_blocks")
    if blocks:
        return [dict(block) for block in blocks]
    text = message.get("reasoning_content")
    if not isinstance(text, str) or not text:
        return []
    return [{"type": "thinking", "thinking": text, "signature": ""}]


def _texts(message: Json) -> list[dict[str, Any]]:
    content = message.get("content")
    texts = [content, message.get("refusal")]
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return [{"type": "text", "text": text} for text in texts if isinstance(text, str) and text]


def _calls(message: Json) -> list[dict[str, Any]]:
    blocks = []
    for at, call in enumerate(message.get("tool_calls") or ()):
        function = call.get("function") or {}
        blocks.append(
            {
                "type": "tool_use",
                "id": call.get("id") or f"toolu_{at}",
                "name": function.get("name") or "",
                "input": _arguments(function.get("arguments")),
            }
        )
    return blocks


def _arguments(text: Any) -> Any:
    """What a model wrote as arguments; what is no object is kept, under a name that tells so."""
    try:
        read = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {"invalid_json": text}
    return read if isinstance(read, dict) else {"invalid_json": text}
