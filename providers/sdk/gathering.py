"""Chunks of a stream put together to the whole answer that they are the pieces of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import tokens as counter
from ..types import ChatResponse, Usage
from . import costs, results
from .record import plain
from .results import ModelResponse

CHOICES_MAX = 128
CALLS_MAX = 1_000
JOINED = ("content", "reasoning_content", "refusal")


def gather_choices(pieces: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Choices with a `delta` each become choices with a whole `message`, in order of index."""
    found: dict[int, dict[str, Any]] = {}
    for piece in pieces:
        index = piece.get("index") or 0
        if index not in found and len(found) < CHOICES_MAX:
            found[index] = {"index": index, "message": _new_message(), "finish_reason": None}
        choice = found.get(index)
        if choice is None:
            continue
        choice["finish_reason"] = piece.get("finish_reason") or choice["finish_reason"]
        _add(choice["message"], piece.get("delta") or {})
    return [_close(found[index]) for index in sorted(found)]


def _new_message() -> dict[str, Any]:
    return {"role": "assistant", "texts": {}, "calls": {}, "rest": {}}


def _add(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name, value in delta.items():
        if value is None:
            continue
        if name in JOINED:
            message["texts"].setdefault(name, []).append(value)
        elif name == "role":
            message["role"] = value
        elif name == "tool_calls":
            for call in value:
                _add_call(message["calls"], call)
        elif name == "function_call":
            known = message["rest"].setdefault(name, {"name": "", "arguments": ""})
            known["name"] += value.get("name") or ""
            known["arguments"] += value.get("arguments") or ""
        elif isinstance(value, list):
            message["rest"].setdefault(name, []).extend(value)
        else:
            message["rest"][name] = value


def _add_call(calls: dict[int, dict[str, Any]], call: Mapping[str, Any]) -> None:
    index = call.get("index") or 0
    if index not in calls:
        if len(calls) >= CALLS_MAX:
            return
        calls[index] = {"id": None, "type": "function", "name": [], "arguments": []}
    known, function = calls[index], call.get("function") or {}
    known["id"] = call.get("id") or known["id"]
    known["name"].append(function.get("name") or "")
    known["arguments"].append(function.get("arguments") or "")


def _close(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice["message"]
    texts = {name: "".join(parts) for name, parts in message["texts"].items()}
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": "".join(call["name"]), "arguments": "".join(call["arguments"])},
        }
        for _, call in sorted(message["calls"].items())
    ]
    content = texts.pop("content", "") or (None if calls else "")
    whole = {"role": message["role"], "content": content, **texts, **message["rest"]}
    if calls:
        whole["tool_calls"] = calls
    return {**choice, "message": whole}


def count_usage(
    messages: Sequence[Any], tools: Sequence[Any], choices: Sequence[Mapping[str, Any]], model: str
) -> Usage:
    """Tokens by the tokenizer, where the provider did not say them."""
    given = counter.count_messages(messages, tools, model).tokens
    name, _ = counter.encoding_name(model)
    said = 0
    for choice in choices:
        message = choice["message"]
        texts = [message.get(part) or "" for part in JOINED]
        for call in message.get("tool_calls") or ():
            texts += [call["function"].get("name") or "", call["function"].get("arguments") or ""]
        said += sum(counter.count_text(text, name) for text in texts if isinstance(text, str))
    return Usage(given, said)


def stream_chunk_builder(
    chunks: Sequence[Any], messages: Sequence[Any] | None = None
) -> ModelResponse | None:
    """The whole answer of a stream's chunks; None where there are none.

    Usage is what the stream said (`stream_options={"include_usage": True}`), else counted.
    """
    if not chunks:
        return None
    documents = [plain(chunk) for chunk in chunks]
    choices = gather_choices(piece for each in documents for piece in each.get("choices") or ())
    model = next((each["model"] for each in documents if each.get("model")), "")
    stated = [each for each in documents if each.get("usage")]
    usage = (
        costs.read_usage(stated[-1])
        if stated
        else count_usage(plain(list(messages or ())), (), choices, model)
    )
    response = ChatResponse(
        id=next((each["id"] for each in documents if each.get("id")), ""),
        model=model,
        created=next((each["created"] for each in documents if each.get("created")), 0),
        choices=choices,
        usage=usage,
    )
    made = results.whole(response, usage)
    first = getattr(chunks[0], "_hidden_params", {})
    provider = first.get("custom_llm_provider")
    asked = first.get("model") or model
    made._hidden_params = results.Hidden(
        lambda: costs.cost(made, asked, custom_llm_provider=provider),
        custom_llm_provider=provider,
        usage_is_counted=not stated,
    )
    made.response_ms = 0.0
    return made
