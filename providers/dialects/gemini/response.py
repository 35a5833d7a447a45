"""Whole answers of generateContent, and what streams read in the same way.

https://ai.google.dev/api/generate-content, 2026-11. A prompt that was blocked comes without
candidates and is billed: it is one choice that was filtered. A call without an id gets one made of
the answer that it stands in, so that reading the same bytes gives the same id.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import UnusableAnswer
from ...types import ChatResponse, Usage
from ..answers import token_counts
from ..encoding import arguments_text
from .failure import embedded_error, error_in
from .signatures import carried

CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CHOICES_MAX = 64
ORDINARY = frozenset({"STOP", "MAX_TOKENS"})
LENGTH = frozenset({"MAX_TOKENS", "CONTINUATION"})
FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "MODEL_ARMOR",
    }
)


def read_response(body: Any) -> ChatResponse:
    """A whole answer; raises UnusableAnswer for a body that is none."""
    error = error_in(body)
    if error is not None:
        raise embedded_error(error)
    if not isinstance(body, Mapping):
        raise UnusableAnswer("the provider's answer is not an object")
    answer_id = str(body.get("responseId") or "")
    blocked = block_reason(body)
    candidates = body.get("candidates")
    if candidates and isinstance(candidates, list) and len(mappings(candidates)) == len(candidates):
        choices = [_choice(each, at, answer_id) for at, each in enumerate(candidates)]
        natives = [native_reason(each) for each in candidates]
    elif not candidates and blocked is not None:
        message = {"role": "assistant", "content": None}
        choices, natives = [{"index": 0, "message": message, **blocked_ending(blocked)}], [blocked]
    else:
        raise UnusableAnswer("the provider's answer has no candidates")
    return ChatResponse(
        id=answer_id,
        model=str(body.get("modelVersion") or ""),
        created=int(time.time()),
        choices=choices,
        usage=read_usage(body.get("usageMetadata")),
        native_finish_reasons=natives,
    )


def read_usage(raw: Any) -> Usage | None:
    """Usage in our terms; None where it is absent or absurd.

    Google's prompt includes what was read from a cache, and not what its tools put in; its
    candidates exclude thoughts.
    """
    if not isinstance(raw, Mapping) or raw.get("promptTokenCount") is None:
        return None
    counts = token_counts(
        raw.get("promptTokenCount"),
        raw.get("toolUsePromptTokenCount"),
        raw.get("cachedContentTokenCount"),
        raw.get("candidatesTokenCount"),
        raw.get("thoughtsTokenCount"),
    )
    if counts is None:
        return None
    prompt, tools, cached, said, thought = counts
    if cached > prompt:
        return None
    return Usage(
        input_tokens=prompt + tools,
        output_tokens=said + thought,
        cache_read_tokens=cached,
        reasoning_tokens=thought,
    )


def block_reason(body: Mapping[str, Any]) -> str | None:
    """Why the prompt was blocked, in Google's word; None where it was not."""
    feedback = body.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, Mapping) else None
    return reason if isinstance(reason, str) and reason else None


def blocked_ending(reason: str) -> dict[str, Any]:
    """How the only choice of a blocked prompt ends."""
    return {
        "logprobs": None,
        "finish_reason": "content_filter",
        "provider_specific_fields": {"native_finish_reason": reason},
    }


def native_reason(candidate: Mapping[str, Any]) -> str | None:
    reason = candidate.get("finishReason")
    return reason if isinstance(reason, str) and reason else None


def finish(native: str | None, *, calls: bool) -> dict[str, Any]:
    """`finish_reason`, and the native reason beside it where OpenAI has no word for it."""
    if native in LENGTH:
        reason = "length"
    elif native in FILTERED:
        reason = "content_filter"
    else:
        reason = "tool_calls" if calls and native in {"STOP", None} else "stop"
    if native is None or native in ORDINARY:
        return {"finish_reason": reason}
    return {
        "finish_reason": reason,
        "provider_specific_fields": {"native_finish_reason": native},
    }


def choice_index(candidate: Mapping[str, Any], position: int) -> int:
    index = candidate.get("index", position)
    is_index = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < CHOICES_MAX
    return index if is_index else position


def mappings(values: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing where it is none."""
    return (
        [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []
    )


def parts_of(candidate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = candidate.get("content")
    return mappings(content.get("parts")) if isinstance(content, Mapping) else []


def _choice(candidate: Mapping[str, Any], position: int, answer_id: str) -> dict[str, Any]:
    index = choice_index(candidate, position)
    native, parts = native_reason(candidate), parts_of(candidate)
    if native is None and not parts:
        raise UnusableAnswer("a candidate of the provider's answer is empty")
    deltas: list[dict[str, Any]] = []
    calls = 0
    for part in parts:
        deltas.append(read_part(part, answer_id, index, calls))
        calls += "tool_calls" in deltas[-1]
    return {
        "index": index,
        "message": _joined(deltas),
        "logprobs": read_logprobs(candidate.get("logprobsResult")),
        **finish(native, calls=calls > 0),
    }


def _joined(deltas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    texts = [delta["content"] for delta in deltas if "content" in delta]
    only_calls = not any(texts) and any("tool_calls" in delta for delta in deltas)
    content = "".join(texts) if texts and not only_calls else None
    message: dict[str, Any] = {"role": "assistant", "content": content}
    thoughts = [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta]
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    for name in ("thinking_blocks", "images", "tool_calls"):
        entries = [entry for delta in deltas for entry in delta.get(name, ())]
        if entries:
            message[name] = [{k: v for k, v in each.items() if k != "index"} for each in entries]
    for delta in deltas:
        if "extra_content" in delta:
            message["extra_content"] = delta["extra_content"]
    return message


def read_part(part: Mapping[str, Any], answer_id: str, choice: int, number: int) -> dict[str, Any]:
    """A part as a delta of OpenAI's shape; `number` counts the calls of its choice before it."""
    if isinstance(part.get("functionCall"), Mapping):
        return {"tool_calls": [_call(part, f"{answer_id}/{choice}/{number}", number)]}
    media = part.get("inlineData")
    if isinstance(media, Mapping):
        url = f"data:{media.get('mimeType')};base64,{media.get('data')}"
        return {"images": [{"type": "image_url", "image_url": {"url": url}}], **carried(part)}
    text = part.get("text")
    if not isinstance(text, str):
        return {}
    if part.get("thought") is not True:
        return {"content": text, **carried(part)}
    signature = carried(part)
    block = {"type": "thinking", "thinking": text, **signature}
    return {"reasoning_content": text, **({"thinking_blocks": [block]} if signature else {})}


def _call(part: Mapping[str, Any], place: str, number: int) -> dict[str, Any]:
    call = part["functionCall"]
    name = str(call.get("name") or "")
    arguments = arguments_text(call.get("args") or {})
    call_id = call.get("id")
    if not isinstance(call_id, str) or not CALL_ID.fullmatch(call_id):
        seed = f"{place}/{name}/{arguments}".encode()
        call_id = f"call_{hashlib.sha256(seed).hexdigest()[:24]}"
    return {
        "index": number,
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **carried(part),
    }


def read_logprobs(result: Any) -> dict[str, Any] | None:
    """OpenAI's `logprobs`; None where there are none."""
    if not isinstance(result, Mapping) or not mappings(result.get("chosenCandidates")):
        return None
    tops = mappings(result.get("topCandidates"))
    content = []
    for at, chosen in enumerate(mappings(result["chosenCandidates"])):
        others = mappings(tops[at].get("candidates")) if at < len(tops) else []
        content.append({**_token(chosen), "top_logprobs": [_token(each) for each in others]})
    return {"content": content, "refusal": None}


def _token(candidate: Mapping[str, Any]) -> dict[str, Any]:
    token = str(candidate.get("token") or "")
    return {
        "token": token,
        "logprob": candidate.get("logProbability") or 0.0,
        "bytes": list(token.encode("utf-8", "replace")),
    }
