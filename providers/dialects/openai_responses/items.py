"""Input items of a Responses request as chat messages, each checked. Nothing is lost.

A message of the assistant holds, in this order, blocks, content and calls; an item that would come
before what its message holds already begins a new message, so the items' order can be read back.
Ids and states of items are names in a store that nobody keeps: they are not carried.
https://platform.openai.com/docs/api-reference/responses/create, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import BadRequest
from ...types import Json
from ..urls import check_image
from .blocks import BLOCKS, check_block, uncarry

ITEMS_MAX = 100_000
ROLES = frozenset({"user", "assistant", "system", "developer"})
STORED = frozenset({"type", "id", "status"})
TEXTS = frozenset({"input_text", "output_text", "text"})


def read_items(value: object) -> list[dict[str, Any]]:
    """Messages of `input`; raises BadRequest that names the item."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not 0 < len(value) <= ITEMS_MAX:
        raise BadRequest("input must be a string, or a list that is not empty.", param="input")
    messages: list[dict[str, Any]] = []
    for at, item in enumerate(value):
        where = f"input[{at}]"
        if not isinstance(item, Mapping):
            raise BadRequest(f"{where} must be an object.", param=where)
        _read_item(item, where, messages)
    return messages


def _read_item(item: Json, where: str, messages: list[dict[str, Any]]) -> None:
    match item.get("type", "message" if "role" in item else "item_reference"):
        case "message":
            _read_message(item, where, messages)
        case "function_call":
            function = {name: _text(item, name, where) for name in ("name", "arguments")}
            call = {"type": "function", "function": function}
            _read_call(item, call, where, messages)
        case "custom_tool_call":
            custom = {name: _text(item, name, where) for name in ("name", "input")}
            _read_call(item, {"type": "custom", "custom": custom}, where, messages)
        case "function_call_output" | "custom_tool_call_output":
            messages.append(_result(item, where))
        case "item_reference":
            raise BadRequest(
                f"{where} refers to a stored item, and nothing is stored here; send the item.",
                param=where,
            )
        case str() as kind if kind in BLOCKS:
            check_block(item, where)
            block = uncarry(item, where) if kind == "reasoning" else item
            _append(messages, "thinking_blocks", block)
        case kind:
            raise BadRequest(
                f"{where} is of type {str(kind)[:50]!r}, which cannot be passed on.", param=where
            )


def _read_message(item: Json, where: str, messages: list[dict[str, Any]]) -> None:
    role, content = item.get("role"), item.get("content")
    if not isinstance(role, str) or role not in ROLES:
        raise BadRequest(f"{where}.role must be one of {sorted(ROLES)}.", param=f"{where}.role")
    said = content if isinstance(content, str) else _parts(content, f"{where}.content")
    rest = _rest(item, {"role", "content"})
    if role == "assistant" and _has_only_blocks(messages):
        messages[-1].update(content=said, **rest)
    else:
        messages.append({"role": role, "content": said, **rest})


def _read_call(
    item: Json, call: dict[str, Any], where: str, messages: list[dict[str, Any]]
) -> None:
    used = {"call_id", "name", "arguments", "input"}
    _append(
        messages,
        "tool_calls",
        {"id": _text(item, "call_id", where), **call, **_rest(item, used)},
    )


def _append(messages: list[dict[str, Any]], name: str, value: Json) -> None:
    """Add a block or a call to the assistant's last message, or begin a new one."""
    is_assistant = bool(messages) and messages[-1]["role"] == "assistant"
    if not (is_assistant and (name == "tool_calls" or _has_only_blocks(messages))):
        messages.append({"role": "assistant", "content": None})
    messages[-1].setdefault(name, []).append(value)


def _has_only_blocks(messages: list[dict[str, Any]]) -> bool:
    last = messages[-1] if messages else {}
    return "thinking_blocks" in last and last["content"] is None and "tool_calls" not in last


def _result(item: Json, where: str) -> dict[str, Any]:
    output = item.get("output")
    content = output if isinstance(output, str) else _parts(output, f"{where}.output")
    call_id = _text(item, "call_id", where)
    rest = _rest(item, {"call_id", "output"})
    return {"role": "tool", "tool_call_id": call_id, "content": content, **rest}


def _parts(parts: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(parts, list):
        raise BadRequest(f"{where} must be a string or a list of parts.", param=where)
    return [_part(part, f"{where}[{at}]") for at, part in enumerate(parts)]


def _part(part: object, where: str) -> dict[str, Any]:
    if not isinstance(part, Mapping):
        raise BadRequest(f"{where} must be an object.", param=where)
    if part.get("file_id"):
        raise BadRequest(
            f"{where}.file_id names a stored file, and nothing is stored here; send its data.",
            param=f"{where}.file_id",
        )
    match part.get("type"):
        case str() as kind if kind in TEXTS:
            text = _text(part, "text", where)
            return {"type": "text", "text": text, **_rest(part, {"text"})}
        case "refusal":
            return {"type": "refusal", "refusal": _text(part, "refusal", where)}
        case "input_image":
            check_image(part.get("image_url"), where)
            image = {"url": part["image_url"]}
            if part.get("detail") is not None:
                image["detail"] = part["detail"]
            return {"type": "image_url", "image_url": image, **_rest(part, {"image_url", "detail"})}
        case "input_file":
            return _file(part, where)
        case "input_audio" if isinstance(part.get("input_audio"), Mapping):
            return {"type": "input_audio", "input_audio": part["input_audio"]}
    raise BadRequest(f"{where} is of no known type.", param=where)


def _file(part: Json, where: str) -> dict[str, Any]:
    names = ("file_data", "file_url", "filename")
    file = {name: _text(part, name, where) for name in names if part.get(name) is not None}
    if "file_url" in file:
        check_image(file["file_url"], f"{where}.file_url")
    elif "file_data" not in file:
        raise BadRequest(f"{where} must have file_data or file_url.", param=where)
    return {"type": "file", "file": file, **_rest(part, set(names))}


def _text(item: Json, name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{where}.{name} must be a string.", param=f"{where}.{name}")
    return value


def _rest(item: Json, used: set[str]) -> dict[str, Any]:
    """What chat has no words for, kept for a Responses provider; empty annotations say nothing."""
    rest = {
        name: value
        for name, value in item.items()
        if name not in used and name not in STORED and value is not None and value != []
    }
    return {"native": rest} if rest else {}
