"""A canonical answer as a Response object for a caller, and the pieces it shares with streams.

The caller gets its own settings told back, as OpenAI does; what was not asked for is null or the
documented default. https://platform.openai.com/docs/api-reference/responses/object, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...types import ChatRequest, ChatResponse, Json, Usage, native_to
from .blocks import BLOCKS, THINKING, carry
from .native import DIALECT, beyond
from .outward import settings

TOLD = (
    "max_tool_calls",
    "parallel_tool_calls",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def write_response(
    response: ChatResponse,
    request: ChatRequest,
    *,
    response_id: str,
    usage: Usage | None = None,
) -> dict[str, Any]:
    """A Response object; `response_id` begins with `resp_`, `usage` is what was billed.

    Where the provider is itself one of Responses, its items are given as they are.
    """
    document = begin(
        request, response_id, model=response.model, created=response.created, extra=response.extra
    )
    told = usage or response.usage
    own = native_to(DIALECT, response.native)
    if own:
        return end(document, native=own, usage=told)
    choice = response.choices[0] if response.choices else {"message": {}}
    reason = choice.get("finish_reason")
    logprobs = read_logprobs(choice.get("logprobs"))
    items = write_output(choice["message"], ItemIds(response_id), logprobs)
    return end(document, items=items, finish_reason=reason, usage=told)


def begin(
    request: ChatRequest, response_id: str, *, model: str, created: int, extra: Json
) -> dict[str, Any]:
    """The Response object before it says anything."""
    native = beyond(request.native)
    given = settings(request, native)
    return {
        "id": response_id,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": request.messages[0]["content"] if native.has_instructions else None,
        "max_output_tokens": request.max_tokens,
        "model": model or request.model,
        "output": [],
        "previous_response_id": None,
        "service_tier": extra.get("service_tier"),
        "store": False,
        "usage": None,
        **{name: given.get(name) for name in TOLD},
        **{name: value for name, value in _defaults().items() if given.get(name) is None},
        "text": {"format": {"type": "text"}, **given.get("text", {})},
    }


def _defaults() -> dict[str, Any]:
    return {
        "metadata": {},
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "truncation": "disabled",
    }


def end(
    document: Json,
    *,
    items: Sequence[Json] = (),
    finish_reason: Any = None,
    native: Json | None = None,
    usage: Usage | None = None,
) -> dict[str, Any]:
    """The Response object at its end: completed, or incomplete and why.

    `native` is the provider's own Response object; our id and our usage stand over it.
    """
    told = None if usage is None else write_usage(usage)
    if native is not None:
        own = {name: value for name, value in native.items() if value is not None}
        kept = {"id": document["id"], "created_at": document["created_at"], "store": False}
        output = native.get("output") or list(items)
        return {**document, "status": "completed", **own, **kept, "output": output, "usage": told}
    reason = INCOMPLETE.get(str(finish_reason))
    return {
        **document,
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": list(items),
        "usage": told,
    }


class ItemIds:
    """Ids of one answer's items: its own id and a number."""

    def __init__(self, response_id: str) -> None:
        self._stem = response_id.removeprefix("resp_")
        self._next = 0

    def new(self, prefix: str) -> str:
        self._next += 1
        return f"{prefix}_{self._stem}_{self._next}"


def write_output(message: Json, ids: ItemIds, logprobs: Sequence[Json]) -> list[dict[str, Any]]:
    """Reasoning, then the message, then the calls, as output items."""
    items = write_blocks(message.get("thinking_blocks") or (), ids)
    thoughts = message.get("reasoning_content")
    if not items and isinstance(thoughts, str) and thoughts:
        items.append(write_thought(ids.new("rs"), thoughts))
    content = []
    text, refusal = message.get("content"), message.get("refusal")
    if isinstance(text, str) and text:
        annotations = map(write_annotation, message.get("annotations") or ())
        content.append(write_text(text, list(annotations), logprobs))
    if isinstance(refusal, str) and refusal:
        content.append({"type": "refusal", "refusal": refusal})
    if content:
        items.append(write_message(ids.new("msg"), content))
    return items + [write_call(call, ids) for call in message.get("tool_calls") or ()]


def write_blocks(blocks: Sequence[Json], ids: ItemIds) -> list[dict[str, Any]]:
    items = []
    for block in blocks:
        kind = str(block.get("type"))
        if kind in THINKING:
            items.append(carry(block, ids.new("rs")))
        elif kind in BLOCKS:
            items.append(dict(block))
    return items


def write_thought(item_id: str, text: str) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"id": item_id, "type": "reasoning", "summary": summary}


def write_text(
    text: str, annotations: Sequence[Json] = (), logprobs: Sequence[Json] = ()
) -> dict[str, Any]:
    return {
        "type": "output_text",
        "text": text,
        "annotations": list(annotations),
        "logprobs": list(logprobs),
    }


def write_message(
    item_id: str, content: Sequence[Json], status: str = "completed"
) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": list(content),
    }


def write_call(call: Json, ids: ItemIds, status: str = "completed") -> dict[str, Any]:
    """A function's call or a custom tool's; one without an id of its own gets one."""
    custom, function = call.get("custom"), call.get("function") or {}
    item_id = ids.new("fc" if custom is None else "ctc")
    call_id = call.get("id") or f"call_{item_id}"
    common = {"id": item_id, "status": status, "call_id": call_id}
    if custom is not None:
        said = {"name": custom.get("name") or "", "input": custom.get("input") or ""}
        return {**common, "type": "custom_tool_call", **said}
    said = {"name": function.get("name") or "", "arguments": function.get("arguments") or ""}
    return {**common, "type": "function_call", **said}


def write_annotation(annotation: Json) -> dict[str, Any]:
    """Nested under its type in chat, flat in Responses."""
    kind = str(annotation.get("type"))
    inner = annotation.get(kind)
    return {"type": kind, **(inner if isinstance(inner, Mapping) else {})}


def read_logprobs(logprobs: Any) -> list[dict[str, Any]]:
    """Chat's log probabilities of the text, with the lists that Responses requires."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return [
        {
            "token": each.get("token"),
            "bytes": each.get("bytes") or [],
            "logprob": each.get("logprob"),
            "top_logprobs": [
                {**top, "bytes": top.get("bytes") or []} for top in each.get("top_logprobs") or ()
            ],
        }
        for each in content or ()
    ]


def write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
