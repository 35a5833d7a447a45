"""Whole answers of Cohere's chat API, and its usage."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...errors import UnusableAnswer
from ...types import ChatResponse, Usage
from ..answers import token_counts
from ..encoding import arguments_text as written

FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
}
FAILED = frozenset({"ERROR", "TIMEOUT", "USER_CANCEL"})


def read_usage(raw: Any) -> Usage | None:
    """The billed units; None where they are absent or absurd.

    https://docs.cohere.com/docs/how-does-cohere-pricing-work, 2026-11: `billed_units` is what is
    charged; `tokens` also has what Cohere adds to a prompt and strips from an answer, which is not.
    `cached_tokens` counts within `tokens`, and no cached price is published: it is left out.
    """
    billed = raw.get("billed_units") if isinstance(raw, Mapping) else None
    if not isinstance(billed, Mapping) or billed.get("input_tokens") is None:
        return None
    counts = token_counts(whole(billed.get("input_tokens")), whole(billed.get("output_tokens")))
    return None if counts is None else Usage(counts[0], counts[1])


def whole(value: Any) -> Any:
    """A count that came as 7.0; the API's own types say that they may."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_response(body: Any) -> ChatResponse:
    """A whole answer; raises UnusableAnswer for a body that is none, or that failed on the way."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    message, native = body.get("message"), body.get("finish_reason")
    if not isinstance(message, Mapping):
        raise UnusableAnswer("the provider's answer has no message")
    if native in FAILED:
        raise UnusableAnswer(f"the provider's answer ended with {native}")
    choice = {
        "index": 0,
        "message": _message(message),
        "finish_reason": FINISH.get(str(native), "stop"),
        "logprobs": None,
    }
    return ChatResponse(
        id=str(body.get("id") or ""),
        model="",
        created=int(time.time()),
        choices=[choice],
        usage=read_usage(body.get("usage")),
        native_finish_reasons=[native],
    )


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    parts = message.get("content") or []
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise UnusableAnswer("the content of the provider's answer is not a list of parts")
    texts = [str(part.get("text") or "") for part in parts if part.get("type") == "text"]
    plan = str(message.get("tool_plan") or "")
    thoughts = [str(part.get("thinking") or "") for part in parts if part.get("type") == "thinking"]
    said: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    if plan or thoughts:
        said["reasoning_content"] = "".join(thoughts) + plan
    calls = message.get("tool_calls") or []
    if calls:
        if not isinstance(calls, list):
            raise UnusableAnswer("the tool calls of the provider's answer are not a list")
        said["tool_calls"] = [_call(call) for call in calls]
    if message.get("citations"):
        said["citations"] = message["citations"]
    return said


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise UnusableAnswer("a tool call of the provider's answer has no function")
    return {
        "id": call.get("id"),
        "type": "function",
        "function": {
            "name": function.get("name"),
            "arguments": arguments_text(function.get("arguments")) or "{}",
        },
    }


def arguments_text(arguments: Any) -> str:
    """Arguments as JSON text, however they came."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else written(arguments)
