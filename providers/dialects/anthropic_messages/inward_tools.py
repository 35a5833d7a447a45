"""Tools and the choice among them, from Anthropic's words into canonical ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import BadRequest

TOOLS_MAX = 1_000
NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
KIND = re.compile(r"[a-z0-9_]{1,64}")
CHOICES = {"auto": "auto", "any": "required", "none": "none"}
KINDS = frozenset({*CHOICES, "tool"})
FUNCTION = frozenset({"type", "function", "name", "description", "input_schema"})


def read_tools(tools: object) -> list[dict[str, Any]]:
    """Functions in OpenAI's shape, other fields beside them; the provider's own tools as they are.

    Their order is kept: a provider's cache depends on it.
    """
    if tools is None:
        return []
    if not isinstance(tools, list) or len(tools) > TOOLS_MAX:
        raise BadRequest(f"tools must be a list of at most {TOOLS_MAX}.", param="tools")
    return [_tool(tool, f"tools.{at}") for at, tool in enumerate(tools)]


def _tool(tool: object, where: str) -> dict[str, Any]:
    if not isinstance(tool, Mapping):
        raise BadRequest(f"{where} must be an object.", param=where)
    kind = tool.get("type")
    if kind not in (None, "custom"):
        if not isinstance(kind, str) or not KIND.fullmatch(kind) or "function" in tool:
            raise BadRequest(f"{where}.type is not valid.", param=f"{where}.type")
        return dict(tool)
    name, schema, description = tool.get("name"), tool.get("input_schema"), tool.get("description")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadRequest(f"{where}.name is not valid.", param=f"{where}.name")
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise BadRequest(
            f"{where}.input_schema must be a schema of an object.", param=f"{where}.input_schema"
        )
    if not isinstance(description, str | None):
        raise BadRequest(f"{where}.description must be a string.", param=f"{where}.description")
    function = {
        "name": name,
        **({"description": description} if description else {}),
        "parameters": schema,
    }
    beside = {each: value for each, value in tool.items() if each not in FUNCTION}
    return {"type": "function", "function": function, **beside}


def read_choice(choice: object, *, has_tools: bool) -> dict[str, Any]:
    """`tool_choice` and `parallel_tool_calls`, as far as they are said."""
    if choice is None:
        return {}
    kind = choice.get("type") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(kind, str) or kind not in KINDS:
        raise BadRequest(
            "tool_choice.type must be auto, any, tool or none.", param="tool_choice.type"
        )
    if not has_tools:
        raise BadRequest("tool_choice needs tools.", param="tool_choice")
    said: dict[str, Any] = {"tool_choice": CHOICES.get(kind)}
    if kind == "tool":
        if not isinstance(choice.get("name"), str):
            raise BadRequest("tool_choice.name is missing.", param="tool_choice.name")
        said["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}}
    alone = choice.get("disable_parallel_tool_use")
    if not isinstance(alone, bool | None):
        raise BadRequest(
            "tool_choice.disable_parallel_tool_use must be true or false.",
            param="tool_choice.disable_parallel_tool_use",
        )
    if alone is not None and kind != "none":
        said["parallel_tool_calls"] = not alone
    return said
