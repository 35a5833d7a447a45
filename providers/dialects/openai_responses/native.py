"""What a Responses request says beyond chat's words, and the plain chat form of such a request.

A message made of Responses items may carry three things that chat has no words for: blocks that
only a Responses provider reads (in `thinking_blocks`), the rest of an item's or a part's fields
(under `native`), and two turns of the assistant in a row, which keep the items' order. `plain`
takes them away for every other dialect; what it cannot take away without breaking the call it
refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import Unsupported
from ...types import ChatRequest, Json, Native
from .blocks import THINKING

DIALECT = "openai_responses"
NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")
FUNCTION = frozenset({"name", "description", "parameters", "strict"})
# Items that inform a later turn but are not needed to understand it.
INFORMING = frozenset({"reasoning", "web_search_call"})
# What other dialects answer anyway: reasoning comes back with its signature, and so do logprobs.
ANSWERED = frozenset({"reasoning.encrypted_content", "message.output_text.logprobs"})


@dataclass(frozen=True, slots=True)
class Beyond:
    """`fields` by Responses' names; `tools` as (place among all tools, the tool as it came).

    `left_out` names what no provider gets, `has_instructions` says that the first message is them.
    """

    fields: Json = field(default_factory=dict)
    tools: Sequence[tuple[int, Json]] = ()
    left_out: Sequence[str] = ()
    has_instructions: bool = False


def beyond(native: Native | None) -> Beyond:
    """What a caller of this dialect said beyond chat's words."""
    if native is None or native.dialect != DIALECT:
        return Beyond()
    found: Beyond = native.said
    return found


def plain(request: ChatRequest, dialect: str) -> tuple[ChatRequest, tuple[str, ...]]:
    """The request as `dialect` can read it, and the names of what was left out.

    Raises Unsupported for tools and items that the call would not make sense without.
    """
    if request.native is None or request.native.dialect != DIALECT:
        return request, ()
    native = beyond(request.native)
    if native.tools:
        raise _unsupported("tools", native.tools[0][1].get("type"))
    if "tool_choice" in native.fields:
        raise _unsupported("tool_choice", native.fields["tool_choice"].get("type"))
    dropped = {*native.left_out, *_beyond(native.fields)}
    options = dict(request.options)
    if "tools" not in options:
        # Coding agents say both with every call; chat refuses them where there are no tools.
        options.pop("parallel_tool_calls", None)
        if options.get("tool_choice") in ("auto", "none"):
            del options["tool_choice"]
    else:
        options["tools"] = [_tool(tool, dialect, dropped) for tool in options["tools"]]
    messages = [_message(message, dialect, dropped) for message in request.messages]
    said = [each for each in messages if each["role"] != "assistant" or len(_filled(each)) > 1]
    if dialect == "openai_chat":
        said = _merged(said)
    return replace(request, messages=said, options=options, native=None), named(dropped)


def named(names: Iterable[str]) -> tuple[str, ...]:
    """Names of what was left out, as a header may tell them."""
    return tuple(sorted(name for name in set(names) if NAME.fullmatch(name)))


def _filled(message: Json) -> list[str]:
    return [name for name, value in message.items() if value is not None]


def _unsupported(param: str, kind: Any) -> Unsupported:
    return Unsupported(f"This model takes no {param} of type {str(kind)[:50]!r}.", param=param)


def _beyond(fields: Json) -> list[str]:
    names = []
    for name, value in fields.items():
        if name == "truncation" and value == "disabled":
            continue
        if name == "include" and ANSWERED.issuperset(value):
            continue
        names += [f"{name}.{each}" for each in value] if name in {"reasoning", "text"} else [name]
    return names


def _tool(tool: Json, dialect: str, dropped: set[str]) -> Json:
    if "function" not in tool:
        if dialect != "openai_chat":
            raise _unsupported("tools", tool["type"])
        custom = {name: value for name, value in tool["custom"].items() if name != "native"}
        return {"type": "custom", "custom": custom}
    function = tool["function"]
    dropped.update(f"tools.{name}" for name in function if name not in FUNCTION)
    said = {k: v for k, v in function.items() if k in FUNCTION and v is not None}
    return {"type": "function", "function": said}


def _message(message: Json, dialect: str, dropped: set[str]) -> dict[str, Any]:
    said = {name: value for name, value in message.items() if name != "native"}
    blocks = said.pop("thinking_blocks", ())
    for block in blocks:
        kind = block.get("type")
        if kind not in INFORMING and kind not in THINKING:
            raise _unsupported("input", kind)
        if kind not in THINKING or dialect == "openai_chat":
            dropped.add(f"input.{kind}")
    kept = [block for block in blocks if block.get("type") in THINKING]
    if kept and dialect != "openai_chat":
        said["thinking_blocks"] = kept
    if isinstance(said.get("content"), list):
        said["content"] = [_part(part) for part in said["content"]]
    if "tool_calls" in said:
        said["tool_calls"] = [_call(call, dialect) for call in said["tool_calls"]]
    return said


def _part(part: Json) -> dict[str, Any]:
    if part["type"] == "file" and "file_url" in part["file"]:
        raise Unsupported("This model takes no file by its address.", param="input")
    return {name: value for name, value in part.items() if name != "native"}


def _call(call: Json, dialect: str) -> dict[str, Any]:
    if "function" not in call and dialect != "openai_chat":
        raise _unsupported("input", "custom_tool_call")
    return {name: value for name, value in call.items() if name != "native"}


def _merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One message for turns of the assistant in a row: chat wants results right after the calls."""
    merged: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] == "assistant" and merged and merged[-1].get("tool_calls"):
            merged[-1] = _joined(merged[-1], message)
        else:
            merged.append(message)
    return merged


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    joined = {**first, "content": _joined_content(first.get("content"), second.get("content"))}
    joined["tool_calls"] = [*first["tool_calls"], *(second.get("tool_calls") or ())]
    return joined


def _joined_content(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
