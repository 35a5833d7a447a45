"""What other dialects can say, in OpenAI's words; what it has none for is left out and named.

A caller of OpenAI's own dialect is passed on as it came, but for what no OpenAI model takes: the
thinking and the cache marks of a conversation that another provider has been part of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import Unsupported
from ..shapes import shape
from ..types import ChatRequest, Json

DIALECT = "openai_chat"
HIDDEN = frozenset(
    {"thinking_blocks", "provider_specific_fields", "cache_control", "is_error", "toolset_name"}
)
THOUGHTS = frozenset({"thinking_blocks", "reasoning_content"})
REASONING = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
HIDDEN_OF_PART = frozenset({"cache_control", "citations"})
HIDDEN_OF_CALL = frozenset({"cache_control", "caller", "toolset_name"})
SIGNED = frozenset({"extra_content"})  # Gemini's signature of a call
SILENT = SIGNED | {"provider_specific_fields"}  # notes that the caller would not miss
PARTS = frozenset({"text", "refusal", "image_url", "input_audio", "file"})
BESIDE_TEXT = frozenset({"image_url", "file"})
STOPS_MAX = 4
USER_MAX = 64
NAME_MAX = 64
EFFORTS = {"max": "high"}


@shape
class Wording:
    messages: list[Json]
    options: Json
    dropped: tuple[str, ...] = ()


def of(request: ChatRequest, *, reads_reasoning: bool = True) -> Wording:
    """Messages and options for an OpenAI model; raises Unsupported for what would change sense.

    Where the host does not read reasoning, it refuses a history that has any: that is left out.
    """
    dropped: set[str] = set()
    hidden, of_call = HIDDEN, HIDDEN_OF_CALL
    if not reads_reasoning:
        hidden, of_call = HIDDEN | REASONING, HIDDEN_OF_CALL | SIGNED
    is_foreign = request.native is not None and request.native.dialect != DIALECT
    if not is_foreign:
        messages = [_shown(message, hidden, of_call, dropped) for message in request.messages]
        return Wording(messages, request.options, tuple(sorted(dropped)))
    assert request.native is not None
    dropped.update(request.native.said)
    shown = [_translated(_shown(message, hidden, of_call, dropped)) for message in request.messages]
    options = _options(request.options, dropped)
    return Wording(_with_pictures_after(shown), options, tuple(sorted(dropped)))


def _shown(
    message: Json, hidden: frozenset[str], of_call: frozenset[str], dropped: set[str]
) -> Json:
    """The same message where there is nothing to hide, which is nearly always."""
    content = message.get("content")
    if len(message) == 2 and isinstance(content, str):
        return message
    found = hidden.intersection(message)
    if found:
        message = _without(message, found, dropped)
    if isinstance(content, list) and any(not HIDDEN_OF_PART.isdisjoint(part) for part in content):
        parts = [_without(part, HIDDEN_OF_PART.intersection(part), dropped) for part in content]
        message = {**message, "content": parts}
    calls = message.get("tool_calls")
    if calls and any(not of_call.isdisjoint(call) for call in calls):
        said = [_without(call, of_call.intersection(call), dropped) for call in calls]
        message = {**message, "tool_calls": said}
    return message


def _without(thing: Json, names: frozenset[str], dropped: set[str]) -> Json:
    dropped.update(names - SILENT)
    return {name: value for name, value in thing.items() if name not in names}


def _translated(message: Json) -> Json:
    content = message.get("content")
    if isinstance(content, list):
        parts = [said for part in content for said in _parts(part)]
        return {**message, "content": parts}
    if content is None and not message.get("tool_calls"):
        return {**message, "content": ""}
    return message


def _parts(part: Json) -> list[Json]:
    if part["type"] == "document":
        return _document(part)
    if part["type"] not in PARTS:
        raise Unsupported(
            f"This model cannot read a block of type {part['type'][:50]!r}.", param="messages"
        )
    return [part]


def _document(part: Json) -> list[Json]:
    """Plain text is said as text, a PDF as a file; its title is the file's name."""
    source = part["source"]
    title = part.get("title")
    name = title if isinstance(title, str) and title else "document"
    if source["type"] == "text" and isinstance(source.get("data"), str):
        return [{"type": "text", "text": f"{name}:\n{source['data']}"}]
    if source["type"] == "content":
        content = source.get("content")
        if isinstance(content, str):
            return [{"type": "text", "text": content}]
        texts = content if isinstance(content, list) else []
        if all(isinstance(each, Mapping) and each.get("type") == "text" for each in texts):
            return [{"type": "text", "text": str(each.get("text", ""))} for each in texts]
    if source["type"] == "base64" and source.get("media_type") == "application/pdf":
        name = name if name.endswith(".pdf") else f"{name}.pdf"
        data = f"data:application/pdf;base64,{source.get('data')}"
        return [{"type": "file", "file": {"filename": name, "file_data": data}}]
    raise Unsupported(
        f"This model cannot read a document by {source['type'][:50]!r}.", param="messages"
    )


def _with_pictures_after(messages: Sequence[Json]) -> list[Json]:
    """A tool message holds text alone: its pictures and files go into the user message after.

    https://platform.openai.com/docs/api-reference/chat/create, 2026-11: every result of the calls
    of one answer must come before anything else is said.
    """
    said: list[Json] = []
    waiting: list[Json] = []
    for message in messages:
        if message["role"] == "tool":
            message, pictures = _parted(message)
            waiting += pictures
        elif waiting:
            said_by_user = message["role"] == "user"
            rest = _as_parts(message.get("content")) if said_by_user else []
            said.append({"role": "user", "content": [*waiting, *rest]})
            waiting = []
            if said_by_user:
                continue
        said.append(message)
    return [*said, {"role": "user", "content": waiting}] if waiting else said


def _parted(message: Json) -> tuple[Json, list[Json]]:
    content = message.get("content")
    if not isinstance(content, list):
        return message, []
    pictures = [part for part in content if part["type"] in BESIDE_TEXT]
    if not pictures:
        return message, []
    texts = [part for part in content if part["type"] not in BESIDE_TEXT]
    note = {"type": "text", "text": "The result follows in the next message."}
    label = {"type": "text", "text": f"Result of {message['tool_call_id']}:"}
    return {**message, "content": texts or [note]}, [label, *pictures]


def _as_parts(content: Any) -> list[Json]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _options(options: Json, dropped: set[str]) -> dict[str, Any]:
    said = dict(options)
    if "tools" in said:
        said["tools"] = [_tool(tool, dropped) for tool in said["tools"]]
    if len(said.get("stop") or ()) > STOPS_MAX and isinstance(said["stop"], list):
        said["stop"] = said["stop"][:STOPS_MAX]
        dropped.add("stop_sequences")
    user = said.get("user")
    if isinstance(user, str) and len(user) > USER_MAX:
        said["user"] = hashlib.sha256(user.encode()).hexdigest()
    effort = said.get("reasoning_effort")
    if isinstance(effort, str):
        said["reasoning_effort"] = EFFORTS.get(effort, effort)
    return said


def _tool(tool: Json, dropped: set[str]) -> Json:
    """A function without what stands beside it; a schema must name its properties here."""
    function = tool.get("function")
    if not isinstance(function, Mapping):
        raise Unsupported(
            f"This model has no tool of type {str(tool.get('type'))[:50]!r}.", param="tools"
        )
    if len(function["name"]) > NAME_MAX:
        raise Unsupported(
            f"A tool's name may have {NAME_MAX} characters for this model.", param="tools"
        )
    dropped.update(tool.keys() - {"type", "function"})
    parameters = {"properties": {}, **(function.get("parameters") or {"type": "object"})}
    return {"type": "function", "function": {**function, "parameters": parameters}}
