"""A canonical request as Gemini's generateContent wants it.

https://ai.google.dev/api/generate-content, 2026-11. Schemas go as JSON Schema
(`parametersJsonSchema`, `responseJsonSchema`: documented there beside the older OpenAPI subset), so
nothing of a tool is lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import BadRequest, Unsupported
from ...types import ChatRequest, HttpRequest
from ..encoding import encoded
from .contents import write_contents
from .thinking import thinking_config, thinks_in_levels

HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}
# One segment of a path and nothing else: a colon would begin another method.
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
STOPS_MAX = 5
SEED_MAX = 2**31
SAMPLING = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
SAID = frozenset(
    {
        *SAMPLING,
        "n",
        "stop",
        "seed",
        "logprobs",
        "top_logprobs",
        "modalities",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "thinking",
        "stream_options",
    }
)


def build_request(
    request: ChatRequest, *, model: str, cap_field: str = "maxOutputTokens"
) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for.

    Raises Unsupported for what would mean something else without them, BadRequest for what cannot
    be right. `cap_field` caps thoughts and text together, for each answer.
    """
    options, name = request.options, model.removeprefix("models/")
    path = _path(name, request.stream)
    body = write_contents(request.messages, must_sign=thinks_in_levels(name))
    config = _config(options, name)
    if request.max_tokens is not None:
        config[cap_field] = request.max_tokens
    if config:
        body["generationConfig"] = config
    _say_tools(options, body)
    accept = "text/event-stream" if request.stream else "application/json"
    return HttpRequest(path, {**HEADERS, "accept": accept}, encoded(body), _dropped(options))


def _path(name: str, stream: bool) -> str:
    if not MODEL.fullmatch(name):
        raise Unsupported(
            "The model does not exist.", param="model", code="model_not_found", status=404
        )
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/{name}:{method}"


def _dropped(options: Mapping[str, Any]) -> tuple[str, ...]:
    names = {name for name in options if name not in SAID}
    if options.get("parallel_tool_calls") is False:
        names.add("parallel_tool_calls")  # Gemini may always make several calls
    if "seed" in options and not _fits(options["seed"]):
        names.add("seed")
    return tuple(sorted(names))


def _fits(seed: Any) -> bool:
    return isinstance(seed, int) and -SEED_MAX <= seed < SEED_MAX


def _config(options: Mapping[str, Any], model: str) -> dict[str, Any]:
    if options.get("functions") or options.get("function_call"):
        raise Unsupported("Say tools and tool_choice instead.", param="functions")
    if options.get("modalities") not in (None, [], ["text"]):
        raise Unsupported("This model answers with text here.", param="modalities")
    config = {ours: options[name] for name, ours in SAMPLING.items() if name in options}
    if _fits(options.get("seed")):
        config["seed"] = options["seed"]
    if int(options.get("n") or 1) > 1:
        config["candidateCount"] = options["n"]
    stops = _stops(options.get("stop"))
    if stops:
        config["stopSequences"] = stops
    if options.get("logprobs") is True:
        config["responseLogprobs"] = True
        if options.get("top_logprobs"):
            config["logprobs"] = options["top_logprobs"]
    thinking = thinking_config(options, model)
    if thinking is not None:
        config["thinkingConfig"] = thinking
    return {**config, **_format(options.get("response_format"))}


def _stops(stop: Any) -> list[str]:
    stops = [each for each in ([stop] if isinstance(stop, str) else stop or ()) if each]
    if len(stops) > STOPS_MAX:
        raise Unsupported(f"This model knows at most {STOPS_MAX} stop sequences.", param="stop")
    return stops


def _format(wanted: Any) -> dict[str, Any]:
    match wanted.get("type") if isinstance(wanted, Mapping) else None:
        case None | "text":
            return {}
        case "json_object":
            return {"responseMimeType": "application/json"}
        case "json_schema":
            described = wanted.get("json_schema")
            schema = described.get("schema") if isinstance(described, Mapping) else None
            return {"responseMimeType": "application/json", "responseJsonSchema": schema or {}}
    raise Unsupported(
        "This model answers as text, json_object or json_schema.", param="response_format"
    )


def _say_tools(options: Mapping[str, Any], body: dict[str, Any]) -> None:
    declarations = [_declaration(tool) for tool in options.get("tools") or ()]
    if declarations:
        body["tools"] = [{"functionDeclarations": declarations}]
    calling = _calling(options.get("tool_choice"))
    if calling is None:
        return
    if declarations:
        body["toolConfig"] = {"functionCallingConfig": calling}
    elif calling["mode"] not in {"AUTO", "NONE"}:
        raise BadRequest("tool_choice needs tools.", param="tool_choice")


def _declaration(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        raise Unsupported(
            f"This model has no tool of type {str(tool.get('type'))[:50]!r}.", param="tools"
        )
    declaration: dict[str, Any] = {"name": function["name"]}
    if function.get("description"):
        declaration["description"] = function["description"]
    if function.get("parameters"):
        declaration["parametersJsonSchema"] = function["parameters"]
    return declaration


def _calling(choice: Any) -> dict[str, Any] | None:
    """`functionCallingConfig`: ANY must call, VALIDATED may call, both only what is named."""
    if choice is None:
        return None
    if isinstance(choice, str) and choice in MODES:
        return {"mode": MODES[choice]}
    mode, tools = "ANY", [choice]
    if isinstance(choice, Mapping) and isinstance(choice.get("allowed_tools"), Mapping):
        allowed = choice["allowed_tools"]
        mode = "ANY" if allowed.get("mode") == "required" else "VALIDATED"
        tools = allowed["tools"] if isinstance(allowed.get("tools"), list) else []
    names = [_name(tool) for tool in tools]
    if not names or None in names:
        raise BadRequest(
            "tool_choice must be auto, none, required or name functions.", param="tool_choice"
        )
    return {"mode": mode, "allowedFunctionNames": names}


def _name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None
