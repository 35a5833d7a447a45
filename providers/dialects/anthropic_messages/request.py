"""A canonical request as Anthropic's messages API wants it.

https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import BadRequest, Unsupported
from ...types import ChatRequest, HttpRequest, Json, native_to
from ..encoding import encoded
from .turns import turns

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "anthropic-version": "2023-06-01",
}
MAX_TOKENS_DEFAULT = 4_096
DIALECT = "anthropic_messages"
SERVER_TOOL = re.compile(r"[a-z_]+_\d{8}")  # web_search_20250305, computer_20250124, ...
BESIDE = ("cache_control",)  # what a caller of another dialect may put beside `function`
CHOICES = {"auto": "auto", "none": "none", "required": "any"}
SAID = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "thinking",
        "user",
        "stream_options",
    }
)


def build_request(
    request: ChatRequest, *, model: str, cap_field: str = "max_tokens"
) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for."""
    options, native = request.options, native_to(DIALECT, request.native)
    if int(options.get("n") or 1) > 1:
        raise Unsupported("This model gives one answer per request.", param="n")
    speaks_ours = request.native is not None and request.native.dialect == DIALECT
    system, messages = turns(request.messages, knows_blocks=speaks_ours)
    cap = MAX_TOKENS_DEFAULT if request.max_tokens is None else request.max_tokens
    body: dict[str, Any] = {"model": model, "max_tokens": cap, "messages": messages}
    if system:
        body["system"] = system
    if request.stream:
        body["stream"] = True
    _say_sampling(options, body)
    _say_tools(options, body, speaks_ours)
    _say_format(options, body)
    _say_native(native, body)
    dropped = [name for name in options if name not in SAID and name != "n"]
    if request.native is not None and not speaks_ours:
        dropped += request.native.said
    headers = {**HEADERS, **_betas(native)}
    headers["accept"] = "text/event-stream" if request.stream else "application/json"
    return HttpRequest("/v1/messages", headers, encoded(body), tuple(sorted(dropped)))


def _say_sampling(options: Mapping[str, Any], body: dict[str, Any]) -> None:
    if "temperature" in options:
        body["temperature"] = min(1, options["temperature"])
    for name in ("top_p", "top_k", "thinking"):
        if name in options:
            body[name] = options[name]
    stop = options.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    stops = [each for each in stops if each.strip()]
    if stops:
        body["stop_sequences"] = stops
    if options.get("user"):
        body["metadata"] = {"user_id": str(options["user"])}
    if options.get("reasoning_effort"):
        body.setdefault("output_config", {})["effort"] = options["reasoning_effort"]


def _say_tools(options: Json, body: dict[str, Any], speaks_ours: bool) -> None:
    tools = [_tool(tool, speaks_ours) for tool in options.get("tools") or ()]
    if tools:
        body["tools"] = tools
    choice = _tool_choice(options.get("tool_choice"))
    if options.get("parallel_tool_calls") is False and tools:
        choice = choice or {"type": "auto"}
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True
    if choice is not None and tools:
        body["tool_choice"] = choice


def _tool(tool: Json, speaks_ours: bool) -> dict[str, Any]:
    """What stands beside `function` is said as it is, the provider's own tools too."""
    function = tool.get("function")
    if not isinstance(function, Mapping):
        if speaks_ours or SERVER_TOOL.fullmatch(str(tool.get("type"))):
            return dict(tool)
        raise Unsupported(
            f"This model has no tool of type {str(tool.get('type'))[:50]!r}.", param="tools"
        )
    beside = tool if speaks_ours else {name: tool[name] for name in BESIDE if name in tool}
    return {
        "name": function["name"],
        **({"description": function["description"]} if function.get("description") else {}),
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
        **{name: value for name, value in beside.items() if name not in {"type", "function"}},
    }


def _tool_choice(choice: Any) -> dict[str, Any] | None:
    if choice is None:
        return None
    if isinstance(choice, str) and choice in CHOICES:
        return {"type": CHOICES[choice]}
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        return {"type": "tool", "name": choice["function"].get("name")}
    raise BadRequest("tool_choice must be auto, none, required or a function.", param="tool_choice")


def _say_format(options: Mapping[str, Any], body: dict[str, Any]) -> None:
    wanted = options.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") in {None, "text"}:
        return
    if wanted["type"] != "json_schema":
        raise Unsupported("This model needs a json_schema.", param="response_format")
    schema = (wanted.get("json_schema") or {}).get("schema") or {}
    body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": schema}


def _say_native(native: Json, body: dict[str, Any]) -> None:
    """Fields of Anthropic's own; where a canonical field has made one already, they join."""
    for name, value in native.items():
        if name == "output_config":
            body[name] = {**value, **body.get(name, {})}
        elif name != "anthropic_beta":
            body.setdefault(name, value)


def _betas(native: Json) -> dict[str, str]:
    betas = native.get("anthropic_beta")
    return {"anthropic-beta": ",".join(betas)} if betas else {}
