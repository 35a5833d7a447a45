"""A provider's whole Responses answer in canonical form. Its own items stay beside it, unchanged.

https://platform.openai.com/docs/api-reference/responses/object, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import BadRequest, ProviderError, StatusError, UnusableAnswer
from ...types import ChatResponse, Json, Native, Usage
from ..answers import embedded_error, read_error_object, service_tier, token_counts
from .native import DIALECT

INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}
CALLS = frozenset({"function_call", "custom_tool_call"})
BLAMED_ON_REQUEST = ("invalid", "image", "empty_image", "unsupported_image", "failed_to_download")
PARAGRAPH = "\n\n"


def read_response(body: Any) -> ChatResponse:
    """A whole answer; raises UnusableAnswer for a body that is none, or what it failed with."""
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    if body.get("status") in ("failed", "cancelled"):
        raise failure(body)
    if body.get("error"):
        raise embedded_error(body["error"])
    items = body.get("output")
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise UnusableAnswer("the provider's answer has no output")
    if body.get("status") not in (None, "completed", "incomplete"):
        raise UnusableAnswer("the provider's answer is not finished")
    choice = {
        "index": 0,
        "message": read_message(items),
        "finish_reason": finish_reason(body, items),
        "logprobs": _logprobs(items),
    }
    return ChatResponse(
        id=str(body.get("id") or ""),
        model=str(body.get("model") or ""),
        created=read_created(body),
        choices=[choice],
        usage=read_usage(body.get("usage"), body.get("service_tier")),
        native_finish_reasons=[native_reason(body)],
        extra=read_extra(body),
        native=Native(DIALECT, body),
    )


def failure(body: Json) -> ProviderError:
    """What a failed answer failed with: the request's fault, a limit, or anything else."""
    message, code, param = read_error_object(body.get("error"))
    message = message or "the provider could not answer"
    if code is not None and code.startswith(BLAMED_ON_REQUEST):
        return BadRequest(message, status=400, code=code, param=param)
    if code == "rate_limit_exceeded":
        return StatusError(message, status=429, code=code)
    return UnusableAnswer(message, code=code)


def read_message(items: Sequence[Json]) -> dict[str, Any]:
    """The assistant's message of chat: texts joined, calls in order, blocks unchanged."""
    parts = list(_parts(items))
    texts = [str(part.get("text") or "") for part in parts if part.get("type") == "output_text"]
    refusals = [str(part.get("refusal") or "") for part in parts if part.get("type") == "refusal"]
    calls = [read_call(item) for item in items if item.get("type") in CALLS]
    reasoning = [dict(item) for item in items if item.get("type") == "reasoning"]
    annotations = [
        read_annotation(annotation)
        for part in parts
        for annotation in part.get("annotations") or ()
        if isinstance(annotation, Mapping)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    thoughts = PARAGRAPH.join(filter(None, map(reasoning_text, reasoning)))
    named = {
        "refusal": "".join(refusals),
        "tool_calls": calls,
        "reasoning_content": thoughts,
        "thinking_blocks": reasoning,
        "annotations": annotations,
    }
    return message | {name: value for name, value in named.items() if value}


def _parts(items: Iterable[Json]) -> Iterable[Json]:
    for item in items:
        if item.get("type") == "message":
            yield from (part for part in item.get("content") or () if isinstance(part, Mapping))


def read_call(item: Json) -> dict[str, Any]:
    name, call_id = str(item.get("name") or ""), item.get("call_id")
    if item.get("type") == "custom_tool_call":
        custom = {"name": name, "input": str(item.get("input") or "")}
        return {"id": call_id, "type": "custom", "custom": custom}
    function = {"name": name, "arguments": str(item.get("arguments") or "")}
    return {"id": call_id, "type": "function", "function": function}


def read_annotation(annotation: Json) -> dict[str, Any]:
    """Flat in Responses, nested under its type in chat."""
    kind = str(annotation.get("type"))
    return {"type": kind, kind: {k: v for k, v in annotation.items() if k != "type"}}


def reasoning_text(item: Json) -> str:
    """What a reasoning item lets be read: its thoughts, or else their summary."""
    for name in ("content", "summary"):
        parts = [part for part in item.get(name) or () if isinstance(part, Mapping)]
        texts = [str(part.get("text") or "") for part in parts]
        if any(texts):
            return PARAGRAPH.join(texts)
    return ""


def finish_reason(body: Json, items: Iterable[Json]) -> str:
    reason = INCOMPLETE.get(str(native_reason(body)))
    if body.get("status") == "incomplete":
        return reason or "length"
    return "tool_calls" if any(item.get("type") in CALLS for item in items) else "stop"


def native_reason(body: Json) -> str | None:
    details = body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    return str(reason or body.get("status") or "") or None


def _logprobs(items: Sequence[Json]) -> dict[str, Any] | None:
    content = [each for part in _parts(items) for each in part.get("logprobs") or ()]
    return {"content": content, "refusal": None} if content else None


def read_created(body: Json) -> int:
    created = body.get("created_at")
    return int(created) if isinstance(created, int | float) else 0


def read_extra(body: Json) -> dict[str, Any]:
    return {"service_tier": body["service_tier"]} if body.get("service_tier") else {}


def read_usage(raw: Any, tier: Any = None) -> Usage | None:
    """Usage in our terms; None where it is absent or absurd. `tier` is the answer's."""
    if not isinstance(raw, Mapping) or raw.get("input_tokens") is None:
        return None
    given = raw.get("input_tokens_details") or {}
    answered = raw.get("output_tokens_details") or {}
    if not isinstance(given, Mapping) or not isinstance(answered, Mapping):
        return None
    counts = token_counts(
        raw.get("input_tokens"),
        raw.get("output_tokens"),
        given.get("cached_tokens"),
        given.get("cache_write_tokens"),
        answered.get("reasoning_tokens"),
    )
    if counts is None:
        return None
    read, written, cached, cache_written, reasoning = counts
    if cached + cache_written > read:
        return None
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=cached,
        cache_write_tokens=cache_written,
        reasoning_tokens=min(reasoning, written),
        service_tier=service_tier(tier),
    )
