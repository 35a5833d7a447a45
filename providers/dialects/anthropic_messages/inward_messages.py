"""System and messages, from Anthropic's blocks into canonical messages and parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import BadRequest
from ...types import Json
from ..encoding import encoded
from ..openai_request import MESSAGES_MAX
from ..urls import check_image
from .turns import CALL_EXTRAS, RESULT_EXTRAS

KIND = re.compile(r"[a-z0-9_]{1,64}")
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
ROLES = frozenset({"user", "assistant", "system"})
OPENAI_PARTS = frozenset({"image_url", "input_audio", "file", "refusal"})
ONLY_OF = {
    "tool_result": "user",
    "tool_use": "assistant",
    "thinking": "assistant",
    "redacted_thinking": "assistant",
}
KIND_OF = {"thinking": "thinking", "redacted_thinking": "thinking", "tool_use": "tool_use"}
IMAGE = frozenset({"type", "source", "cache_control"})
SOURCE = frozenset({"type", "media_type", "data", "url"})
RANK = {"thinking": 0, "content": 1, "tool_use": 2}


def read_system(system: object) -> list[Json]:
    """One system message of as many parts as there are blocks; none where nothing is said."""
    if system is None:
        return []
    if not isinstance(system, str | list):
        raise BadRequest("system must be a string or a list of text blocks.", param="system")
    content = _content(system, "system", "system")
    return [{"role": "system", "content": content}] if content else []


def read_messages(messages: object) -> list[Json]:
    """Canonical messages: a turn of tool results becomes one `tool` message for each."""
    if not isinstance(messages, list) or not 0 < len(messages) <= MESSAGES_MAX:
        raise BadRequest("messages must be a list that is not empty.", param="messages")
    read: list[Json] = []
    for at, message in enumerate(messages):
        where = f"messages.{at}"
        if not isinstance(message, Mapping):
            raise BadRequest(f"{where} must be an object.", param=where)
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or role not in ROLES:
            raise BadRequest(f"{where}.role must be one of {sorted(ROLES)}.", param=f"{where}.role")
        if not isinstance(content, str | list):
            raise BadRequest(
                f"{where}.content must be a string or a list of blocks.", param=f"{where}.content"
            )
        read += _READ[role](content, f"{where}.content")
    return read


def _system(content: str | list[Any], where: str) -> list[Json]:
    """In the middle of a conversation, where a provider may let it stand."""
    mark = {"turn": "system"}
    said = _content(content, where, "system")
    return [{"role": "system", "content": said, "provider_specific_fields": mark}]


def _user(content: str | list[Any], where: str) -> list[Json]:
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[Json] = []
    parts: list[Json] = []
    for at, block in enumerate(content):
        if _kind(block, f"{where}.{at}", "user") == "tool_result":
            results.append(_result(block, f"{where}.{at}"))
        else:
            parts.append(_part(block, f"{where}.{at}", "user"))
    said = _joined(parts)
    return [*results, {"role": "user", "content": said}] if said or not results else results


def _assistant(content: str | list[Any], where: str) -> list[Json]:
    if isinstance(content, str):
        return [{"role": "assistant", "content": content}]
    thinking: list[Json] = []
    calls: list[Json] = []
    parts: list[Json] = []
    order: list[str] = []
    for at, block in enumerate(content):
        kind = KIND_OF.get(_kind(block, f"{where}.{at}", "assistant"), "content")
        if kind == "thinking":
            _check_thinking(block, f"{where}.{at}")
        if block.get("text") == "" or block.get("signature") == "":
            continue  # an empty text, or the thinking of a model that does not sign it
        order.append(kind)
        if kind == "thinking":
            thinking.append(block)
        elif kind == "tool_use":
            calls.append(_call(block, f"{where}.{at}"))
        else:
            parts.append(_part(block, f"{where}.{at}", "assistant"))
    message: dict[str, Any] = {"role": "assistant"}
    message["content"] = _joined(parts) or None
    if calls:
        message["tool_calls"] = calls
    if thinking:
        message["thinking_blocks"] = thinking
    if order != sorted(order, key=RANK.__getitem__):
        message["provider_specific_fields"] = {"block_order": order}
    return [message]


_READ = {"user": _user, "assistant": _assistant, "system": _system}


def _kind(block: object, where: str, role: str) -> str:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(kind, str) or not KIND.fullmatch(kind) or kind in OPENAI_PARTS:
        raise BadRequest(f"{where} must be a block with a type.", param=where)
    if ONLY_OF.get(kind, role) != role:
        raise BadRequest(f"{where}: {kind} cannot be said by the {role}.", param=where)
    return kind


def _check_thinking(block: Json, where: str) -> None:
    field = "data" if block["type"] == "redacted_thinking" else "signature"
    texts = [block.get(field), block.get("thinking", "")]
    if not all(isinstance(text, str) for text in texts):
        raise BadRequest(f"{where}.{field} is missing.", param=f"{where}.{field}")


def _call(block: Json, where: str) -> Json:
    for field in ("id", "name"):
        if not isinstance(block.get(field), str) or not block[field]:
            raise BadRequest(f"{where}.{field} is missing.", param=f"{where}.{field}")
    if not isinstance(block.get("input"), Mapping):
        raise BadRequest(f"{where}.input must be an object.", param=f"{where}.input")
    arguments = encoded(block["input"]).decode()
    return {
        "id": block["id"],
        "type": "function",
        "function": {"name": block["name"], "arguments": arguments},
        **{name: block[name] for name in CALL_EXTRAS if block.get(name) is not None},
    }


def _result(block: Json, where: str) -> Json:
    if not isinstance(block.get("tool_use_id"), str):
        raise BadRequest(f"{where}.tool_use_id is missing.", param=f"{where}.tool_use_id")
    content = block.get("content")
    if not isinstance(content, str | list | None):
        raise BadRequest(
            f"{where}.content must be a string or a list of blocks.", param=f"{where}.content"
        )
    is_error = block.get("is_error")
    if not isinstance(is_error, bool | None):
        raise BadRequest(f"{where}.is_error must be true or false.", param=f"{where}.is_error")
    message = {
        "role": "tool",
        "tool_call_id": block["tool_use_id"],
        "content": _content(content or "", f"{where}.content", "user"),
    }
    extras = {name: block[name] for name in RESULT_EXTRAS if block.get(name) is not None}
    return {**message, **extras}


def _content(content: str | list[Any], where: str, role: str) -> Any:
    if isinstance(content, str):
        return content
    return _joined([_part(block, f"{where}.{at}", role) for at, block in enumerate(content)])


def _joined(parts: list[Json]) -> Any:
    """A string where it is plain text, else parts; empty texts, which say nothing, are left out."""
    said = [part for part in parts if part.get("text") != ""]
    if len(said) == 1 and said[0]["type"] == "text" and said[0].keys() == {"type", "text"}:
        return said[0]["text"]
    return said or ""


def _part(block: Any, where: str, role: str) -> Json:
    """What OpenAI has parts for becomes one; any other block stays as it is."""
    kind = _kind(block, where, role)
    if kind == "text":
        if not isinstance(block.get("text"), str):
            raise BadRequest(f"{where}.text must be a string.", param=f"{where}.text")
        return {name: value for name, value in block.items() if value is not None}
    if role == "system":
        raise BadRequest(f"{where} must be a text block.", param=where)
    if kind not in {"image", "document"}:
        return dict(block)
    source = block.get("source")
    if not isinstance(source, Mapping) or not isinstance(source.get("type"), str):
        raise BadRequest(f"{where}.source must have a type.", param=f"{where}.source")
    url = _url(source, f"{where}.source")
    given = {name: value for name, value in block.items() if value is not None}
    if (
        kind == "document"
        or url is None
        or not given.keys() <= IMAGE
        or not source.keys() <= SOURCE
    ):
        return given
    return {"type": "image_url", "image_url": {"url": url}, **_cached(given)}


def _cached(block: Json) -> dict[str, Any]:
    return {"cache_control": block["cache_control"]} if "cache_control" in block else {}


def _url(source: Json, where: str) -> str | None:
    """The address of a source, or its data as one; None where it is neither."""
    if source["type"] == "base64":
        media_type, data = source.get("media_type"), source.get("data")
        is_media_type = isinstance(media_type, str) and MEDIA_TYPE.fullmatch(media_type)
        if not is_media_type or not isinstance(data, str):
            raise BadRequest(f"{where} must have media_type and data.", param=where)
        return f"data:{media_type};base64,{data}"
    if source["type"] == "url":
        url = source.get("url")
        if not isinstance(url, str) or url.startswith("data:"):
            raise BadRequest(f"{where}.url must be an address.", param=f"{where}.url")
        check_image(url, f"{where}.url")
        return url
    return None
