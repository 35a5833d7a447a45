"""Tools, the choice among them and the answer's format: flat in Responses, nested in chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import BadRequest, Unsupported
from ...types import Json

# Tools that run at the caller: the model only asks for them, so tokens are all they cost.
CALLERS = frozenset(
    {
        "apply_patch",
        "computer",
        "computer_use_preview",
        "local_shell",
        "namespace",
        "shell",
    }
)
# A coding agent offers this one with every call, whether or not it is needed.
LEFT_OUT = ("web_search", "web_search_preview")
CUSTOM = frozenset({"name", "description", "format"})
NAMED = ("function", "custom")


def read_tools(tools: object) -> tuple[list[Json], list[tuple[int, Json]], list[str]]:
    """(tools in chat's form, tools that only Responses knows, names of what is left out).

    Raises BadRequest for a tool that runs at the provider: it costs more than tokens, so that no
    budget could hold its price.
    """
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        raise BadRequest("tools must be a list of objects.", param="tools")
    said: list[Json] = []
    beyond: list[tuple[int, Json]] = []
    left_out: set[str] = set()
    for at, tool in enumerate(tools):
        kind = str(tool.get("type"))
        if kind in NAMED:
            said.append(_read_tool(tool, kind))
        elif kind.startswith(LEFT_OUT):
            left_out.add(f"tools.{kind}"[:64])
        else:
            _check_callers(tool, f"tools[{at}]")
            beyond.append((len(said) + len(beyond), tool))
    return said, beyond, sorted(left_out)


def _read_tool(tool: Json, kind: str) -> Json:
    rest = {name: value for name, value in tool.items() if name != "type"}
    if kind == "function":
        # Without `strict` a function is strict in Responses and lenient in chat: null stays null.
        return {"type": kind, "function": {**rest, "strict": rest.get("strict")}}
    custom = {name: value for name, value in rest.items() if name in CUSTOM}
    native = {name: value for name, value in rest.items() if name not in CUSTOM}
    wanted = custom.get("format")
    if isinstance(wanted, Mapping) and wanted.get("type") == "grammar":
        grammar = {name: value for name, value in wanted.items() if name != "type"}
        custom["format"] = {"type": "grammar", "grammar": grammar}
    return {"type": kind, "custom": {**custom, **({"native": native} if native else {})}}


def _check_callers(tool: Json, where: str) -> None:
    kind, environment = str(tool.get("type")), tool.get("environment")
    runs_here = isinstance(environment, Mapping) and environment.get("type") == "local"
    is_known = kind in CALLERS and (kind != "shell" or runs_here)
    if is_known and (kind != "namespace" or _are_named(tool.get("tools"))):
        return
    raise BadRequest(
        f"{where} is of type {kind[:50]!r}, which runs at the provider and cannot be budgeted.",
        param=where,
    )


def _are_named(tools: object) -> bool:
    return isinstance(tools, list) and all(
        isinstance(tool, Mapping) and tool.get("type") in NAMED for tool in tools
    )


def write_tools(tools: Sequence[Json], beyond: Sequence[tuple[int, Json]]) -> list[Json]:
    """Tools in Responses' form, each in its place; raises Unsupported for one of chat's own."""
    said = [_write_tool(tool) for tool in tools]
    for at, tool in beyond:
        said.insert(at, tool)
    return said


def _write_tool(tool: Json) -> Json:
    function, custom = tool.get("function"), tool.get("custom")
    if isinstance(function, Mapping):
        return {"strict": False, **function, "type": "function"}
    if not isinstance(custom, Mapping):
        raise Unsupported(f"This model takes no {str(tool.get('type'))[:50]!r}.", param="tools")
    said = {name: value for name, value in custom.items() if name != "native"}
    wanted = said.get("format")
    if isinstance(wanted, Mapping) and isinstance(wanted.get("grammar"), Mapping):
        said["format"] = {"type": "grammar", **wanted["grammar"]}
    native = custom.get("native")
    return {**(native if isinstance(native, Mapping) else {}), **said, "type": "custom"}


def read_choice(choice: object) -> tuple[Any, Json | None]:
    """(the choice in chat's form or None, the choice where only Responses knows it)."""
    if choice in ("auto", "none", "required"):
        return choice, None
    kind = str(choice.get("type")) if isinstance(choice, Mapping) else None
    if kind == "allowed_tools" and isinstance(choice, Mapping):
        tools = choice.get("tools")
        if isinstance(tools, list) and all(isinstance(tool, Mapping) for tool in tools):
            allowed = [_nested(tool) for tool in tools]
            return {"type": kind, kind: {"mode": choice.get("mode"), "tools": allowed}}, None
    elif kind in NAMED and isinstance(choice, Mapping):
        return _nested(choice), None
    elif kind in CALLERS and isinstance(choice, Mapping):
        return None, choice
    raise BadRequest("tool_choice names no tool that can be called.", param="tool_choice")


def _nested(choice: Json) -> Json:
    kind, name = str(choice.get("type")), choice.get("name")
    if kind not in NAMED or not isinstance(name, str):
        raise BadRequest("tool_choice names no tool that can be called.", param="tool_choice")
    return {"type": kind, kind: {"name": name}}


def write_choice(choice: Any) -> Any:
    """A choice in chat's form as Responses says it; raises Unsupported."""
    if isinstance(choice, str):
        return choice
    kind = choice.get("type") if isinstance(choice, Mapping) else None
    named = choice.get(kind) if isinstance(choice, Mapping) and isinstance(kind, str) else None
    if not isinstance(named, Mapping):
        raise Unsupported("This model does not know this tool_choice.", param="tool_choice")
    if kind == "allowed_tools":
        tools = [write_choice(tool) for tool in named.get("tools") or ()]
        return {"type": kind, "mode": named.get("mode"), "tools": tools}
    return {"type": kind, "name": named.get("name")}


def read_format(wanted: object) -> Json:
    """`text.format` as chat's `response_format`; raises BadRequest."""
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    if kind in ("text", "json_object"):
        return {"type": kind}
    if not isinstance(wanted, Mapping) or kind != "json_schema":
        raise BadRequest("text.format.type is not known.", param="text.format")
    if not isinstance(wanted.get("name"), str) or not isinstance(wanted.get("schema"), Mapping):
        raise BadRequest("text.format must have a name and a schema.", param="text.format")
    rest = {name: value for name, value in wanted.items() if name != "type" and value is not None}
    return {"type": "json_schema", "json_schema": rest}


def write_format(wanted: Any) -> Json:
    if not isinstance(wanted, Mapping):
        raise Unsupported("This model does not know this format.", param="response_format")
    schema = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(schema, Mapping):
        return {"name": "answer", **schema, "type": "json_schema"}
    return {"type": wanted.get("type")}
