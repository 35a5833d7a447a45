"""Chat messages as input items, outward to a Responses provider: `items.py` read backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import Unsupported
from ...types import Json
from ..urls import check_image
from .blocks import BLOCKS, check_block

SAID = frozenset(
    {
        "role",
        "content",
        "refusal",
        "tool_calls",
        "tool_call_id",
        "thinking_blocks",
        "native",
        "annotations",
    }
)
SOURCES = ("file_data", "file_url", "file_id", "image_url")
PARTS = frozenset({"text", "refusal", "image_url", "file", "input_audio"})


def write_items(messages: Sequence[Json]) -> tuple[list[dict[str, Any]], set[str]]:
    """(items, names of what they have no words for); raises BadRequest or Unsupported."""
    items: list[dict[str, Any]] = []
    dropped: set[str] = set()
    custom = {
        call["id"]
        for message in messages
        for call in message.get("tool_calls") or ()
        if "custom" in call
    }
    for message in messages:
        dropped.update(f"messages.{n}" for n, v in message.items() if n not in SAID and v)
        match message["role"]:
            case "assistant":
                items += _assistant(message, dropped)
            case "tool":
                kind = "custom_tool_call" if message["tool_call_id"] in custom else "function_call"
                items.append(_result(message, f"{kind}_output", dropped))
            case "function":
                raise Unsupported("This model takes results of tools only.", param="messages")
            case role:
                items.append(_said(message, role, dropped))
    return items, dropped


def _assistant(message: Json, dropped: set[str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for block in message.get("thinking_blocks") or ():
        if str(block.get("type")) in BLOCKS:
            check_block(block, "messages.thinking_blocks")
            items.append(dict(block))
        else:
            dropped.add("messages.thinking_blocks")
    refusal = message.get("refusal")
    if message.get("content"):
        items.append(_said(message, "assistant", dropped))
    elif isinstance(refusal, str) and refusal:
        content = [{"type": "refusal", "refusal": refusal}]
        items.append({"type": "message", "role": "assistant", "content": content})
    return items + [_call(call) for call in message.get("tool_calls") or ()]


def _said(message: Json, role: str, dropped: set[str]) -> dict[str, Any]:
    content = _content(message.get("content"), role, dropped)
    return {**_native(message), "type": "message", "role": role, "content": content}


def _native(thing: Json) -> dict[str, Any]:
    """What `items.py` kept beyond chat's words; never an address or a file, which it checked."""
    native = thing.get("native")
    if not isinstance(native, Mapping):
        return {}
    return {name: value for name, value in native.items() if name not in SOURCES}


def _call(call: Json) -> dict[str, Any]:
    said: dict[str, Any]
    if "custom" in call:
        custom = call["custom"]
        said = {"type": "custom_tool_call", "name": custom["name"], "input": custom["input"]}
    else:
        function = call["function"]
        said = {
            "type": "function_call",
            "name": function["name"],
            "arguments": function["arguments"],
        }
    return {**_native(call), **said, "call_id": call["id"]}


def _result(message: Json, kind: str, dropped: set[str]) -> dict[str, Any]:
    output = _content(message.get("content"), "user", dropped)
    return {**_native(message), "type": kind, "call_id": message["tool_call_id"], "output": output}


def _content(content: Any, role: str, dropped: set[str]) -> str | list[dict[str, Any]]:
    if content is None or isinstance(content, str):
        return content or ""
    return [_part(part, role, dropped) for part in content]


def _part(part: Json, role: str, dropped: set[str]) -> dict[str, Any]:
    kind = part["type"]
    if kind not in PARTS:
        raise Unsupported(f"This model cannot read a part of type {kind[:50]!r}.", param="messages")
    dropped.update(f"messages.{name}" for name in part if name not in {"type", "native", kind})
    native = _native(part)
    match kind:
        case "text" if role == "assistant":
            return {"annotations": [], **native, "type": "output_text", "text": part["text"]}
        case "text":
            return {**native, "type": "input_text", "text": part["text"]}
        case "refusal":
            return {"type": "refusal", "refusal": str(part.get("refusal") or "")}
        case "image_url":
            return {**native, "type": "input_image", **_image(part["image_url"])}
        case "file":
            return {**native, "type": "input_file", **_file(part.get("file"))}
    return {**native, "type": "input_audio", "input_audio": part.get("input_audio")}


def _image(image: Any) -> dict[str, Any]:
    if not isinstance(image, Mapping):
        return {"image_url": image}
    detail = {"detail": image["detail"]} if image.get("detail") is not None else {}
    return {"image_url": image["url"], **detail}


def _file(file: Any) -> dict[str, Any]:
    if not isinstance(file, Mapping):
        raise Unsupported("This model cannot read this file.", param="messages")
    if file.get("file_url") is not None:
        check_image(file["file_url"], "messages")
    return {name: file[name] for name in (*SOURCES, "filename") if file.get(name) is not None}
