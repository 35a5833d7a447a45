"""Canonical messages as Anthropic's turns.

System messages are lifted out, turns of one role are merged, tool results go first into the next
user turn. https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...errors import BadRequest, Unsupported

DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
EMPTY_TURN = {"type": "text", "text": "."}
KNOWN = frozenset(
    {"text", "refusal", "image_url", "image", "document", "tool_result", "tool_use", "thinking"}
)
PART_EXTRAS = ("cache_control", "citations")
RESULT_EXTRAS = ("is_error", "cache_control", "toolset_name")
CALL_EXTRAS = ("cache_control", "caller", "toolset_name")
IN_ORDER = ("thinking", "content", "tool_use")


def turns(
    messages: Sequence[Mapping[str, Any]], *, knows_blocks: bool
) -> tuple[list[Any], list[dict[str, Any]]]:
    """(system blocks, turns). Later system messages join the first ones, in order.

    `knows_blocks` lets parts that are no canonical ones pass, as blocks of Anthropic's own.
    """
    system: list[Any] = []
    said: list[dict[str, Any]] = []
    for message in messages:
        if not knows_blocks:
            _check_parts(message.get("content"))
        role = message["role"]
        if role in {"system", "developer"} and _specific(message).get("turn") != "system":
            system += _blocks(message.get("content"))
            continue
        blocks = _assistant(message) if role == "assistant" else _user(message)
        speaker = role if role in {"assistant", "system"} else "user"
        if said and said[-1]["role"] == speaker:
            _merge(said[-1]["content"], blocks)
        elif blocks:
            said.append({"role": speaker, "content": blocks})
    if not said or said[0]["role"] != "user":
        said.insert(0, {"role": "user", "content": [dict(EMPTY_TURN)]})
    return system, said


def _check_parts(content: Any) -> None:
    for part in content if isinstance(content, list) else ():
        if part["type"] not in KNOWN:
            raise Unsupported(f"This model cannot read a part of type {part['type'][:50]!r}.")


def _specific(message: Mapping[str, Any]) -> Mapping[str, Any]:
    specific = message.get("provider_specific_fields")
    return specific if isinstance(specific, Mapping) else {}


def _merge(turn: list[dict[str, Any]], blocks: list[dict[str, Any]]) -> None:
    """Tool results stand before any text of their turn."""
    results = [block for block in blocks if block["type"] == "tool_result"]
    at = sum(1 for block in turn if block["type"] == "tool_result")
    turn[at:at] = results
    turn += [block for block in blocks if block["type"] != "tool_result"]


def _user(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message["role"] != "tool":
        return _blocks(message.get("content"))
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": message["tool_call_id"]}
    blocks = _blocks(message.get("content"))
    if blocks:
        result["content"] = blocks
    return [{**result, **{name: message[name] for name in RESULT_EXTRAS if name in message}}]


def _assistant(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Thinking comes back unchanged and first, then text, then the calls, unless told otherwise."""
    kinds = {
        "thinking": [dict(block) for block in message.get("thinking_blocks") or ()],
        "content": _blocks(message.get("content")),
        "tool_use": [_call(call) for call in message.get("tool_calls") or ()],
    }
    order = _specific(message).get("block_order")
    counts = Counter({kind: len(blocks) for kind, blocks in kinds.items() if blocks})
    is_known = isinstance(order, list) and all(isinstance(kind, str) for kind in order)
    if not is_known or Counter(order) != counts:
        return [block for kind in IN_ORDER for block in kinds[kind]]
    left = {kind: iter(blocks) for kind, blocks in kinds.items()}
    return [next(left[kind]) for kind in order or ()]


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    try:
        arguments = orjson.loads(function.get("arguments") or "{}")
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"The arguments of tool call {call['id'][:100]} are not JSON.", param="messages"
        ) from error
    said = {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}
    return {**said, **{name: call[name] for name in CALL_EXTRAS if name in call}}


def _blocks(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = [_block(part) for part in content or ()]
    return [block for block in blocks if block is not None]


def _block(part: Mapping[str, Any]) -> dict[str, Any] | None:
    extras = {name: part[name] for name in PART_EXTRAS if name in part}
    match part["type"]:
        case "text":
            return {"type": "text", "text": part["text"], **extras} if part["text"] else None
        case "refusal":
            return {"type": "text", "text": part.get("refusal") or "."}
        case "image_url":
            return {"type": "image", "source": _image(part["image_url"]), **extras}
    return dict(part)


def _image(image: Any) -> dict[str, Any]:
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        raise BadRequest("image_url must have a url.", param="messages")
    match = DATA_URL.fullmatch(url)
    if match is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": match[1], "data": match[2]}
