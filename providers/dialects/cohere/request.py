"""A canonical request as Cohere's chat API wants it. https://docs.cohere.com/reference/chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import BadRequest, Unsupported
from ...types import ChatRequest, HttpRequest
from ..encoding import encoded

HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}
STOPS_MAX = 5
P_MIN, P_MAX = 0.01, 0.99
CHOICES = {"none": "NONE", "required": "REQUIRED"}
PENALTIES = ("frequency_penalty", "presence_penalty")
RENAMED = {"top_p": "p", "top_k": "k", "stop": "stop_sequences"}
NATIVE = frozenset(
    {
        "temperature",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "k",
        "p",
        "documents",
        "citation_options",
        "safety_mode",
        "strict_tools",
        "thinking",
        "priority",
    }
)
SAID = NATIVE | {
    *RENAMED,
    "tools",
    "tool_choice",
    "response_format",
    "reasoning_effort",
    "stream_options",
    "n",
}


def build_request(
    request: ChatRequest, *, model: str, cap_field: str = "max_tokens"
) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for."""
    options = request.options
    if int(options.get("n") or 1) > 1:
        raise Unsupported("This model gives one answer per request.", param="n")
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(each, at) for at, each in enumerate(request.messages)],
        "stream": request.stream,
    }
    if request.max_tokens is not None:
        body[cap_field] = request.max_tokens
    _say_sampling(options, body)
    _say_tools(options, body)
    _say_format(options.get("response_format"), body)
    dropped = {name for name in options if name not in SAID}
    dropped |= {name for name in PENALTIES if name in options and name not in body}
    accept = "text/event-stream" if request.stream else "application/json"
    headers = {**HEADERS, "accept": accept}
    return HttpRequest("/v2/chat", headers, encoded(body), tuple(sorted(dropped)))


def _say_sampling(options: Mapping[str, Any], body: dict[str, Any]) -> None:
    body.update((name, options[name]) for name in NATIVE if name in options)
    for name in PENALTIES:  # from 0 to 1 here, from -2 to 2 in OpenAI's words
        value = body.get(name)
        if isinstance(value, int | float) and not 0 <= value <= 1:
            del body[name]
    if "top_p" in options:
        body["p"] = min(P_MAX, max(P_MIN, options["top_p"]))
    if "top_k" in options:
        body["k"] = options["top_k"]
    stop = options.get("stop")
    stops = [stop] if isinstance(stop, str) else list(stop or ())
    if len(stops) > STOPS_MAX:
        raise Unsupported(f"This model takes at most {STOPS_MAX} stops.", param="stop")
    if stops:
        body["stop_sequences"] = stops
    effort = options.get("reasoning_effort")
    if effort is not None and "thinking" not in options:
        body["thinking"] = {"type": "disabled" if effort in {"none", "minimal"} else "enabled"}


def _say_tools(options: Mapping[str, Any], body: dict[str, Any]) -> None:
    functions = [tool["function"] for tool in options.get("tools") or () if "function" in tool]
    if not functions:
        return
    choice = options.get("tool_choice")
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        # A tool cannot be named here: it is the only one offered, and one is required.
        functions = [each for each in functions if each["name"] == choice["function"].get("name")]
        if not functions:
            raise BadRequest("tool_choice names no tool of the request.", param="tool_choice")
        choice = "required"
    if choice not in {None, "auto", *CHOICES}:
        raise BadRequest(
            "tool_choice must be auto, none, required or a function.", param="tool_choice"
        )
    body["tools"] = [{"type": "function", "function": _function(each)} for each in functions]
    if choice in CHOICES:
        body["tool_choice"] = CHOICES[choice]
    if any(each.get("strict") for each in functions):
        body["strict_tools"] = True


def _function(function: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: function[key] for key in ("name", "description") if function.get(key)}
    known["parameters"] = function.get("parameters") or {"type": "object", "properties": {}}
    return known


def _say_format(wanted: Any, body: dict[str, Any]) -> None:
    if not isinstance(wanted, Mapping) or wanted.get("type") in {None, "text"}:
        return
    if wanted["type"] == "json_object":
        body["response_format"] = dict(wanted)
    elif wanted["type"] == "json_schema":
        schema = wanted["json_schema"]["schema"]
        body["response_format"] = {"type": "json_object", "json_schema": schema}
    else:
        raise Unsupported("response_format is not known here.", param="response_format")


def _message(message: Mapping[str, Any], at: int) -> dict[str, Any]:
    role, content = message.get("role"), message.get("content")
    where = f"messages.{at}.content"
    match role:
        case "system" | "developer":
            return {"role": "system", "content": _texts(content, where)}
        case "user":
            return {"role": "user", "content": _parts(content, where)}
        case "tool":
            text = _texts(content, where)
            return {"role": "tool", "tool_call_id": message.get("tool_call_id"), "content": text}
        case "assistant":
            return _assistant(message, where)
    raise Unsupported(f"messages.{at}.role is not known here.", param=f"messages.{at}.role")


def _assistant(message: Mapping[str, Any], where: str) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant"}
    text = _texts(message.get("content"), where) if message.get("content") else ""
    calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
    if text or not calls:
        said["content"] = text
    if calls:
        said["tool_calls"] = [
            {"id": call["id"], "type": "function", "function": dict(call["function"])}
            for call in calls
        ]
        if message.get("reasoning_content"):
            said["tool_plan"] = message["reasoning_content"]
    return said


def _texts(content: Any, where: str) -> str:
    """The text of a message that can hold nothing else."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content or ():
        if part.get("type") not in {"text", "refusal"}:
            raise Unsupported(f"{where} may hold only text here.", param=where)
        texts.append(str(part.get("text") or part.get("refusal") or ""))
    return "".join(texts)


def _parts(content: Any, where: str) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    parts = []
    for part in content:
        match part.get("type"):
            case "text":
                parts.append({"type": "text", "text": part["text"]})
            case "image_url":
                image = part["image_url"]
                image = {"url": image} if isinstance(image, str) else dict(image)
                parts.append({"type": "image_url", "image_url": image})
            case other:
                raise Unsupported(f"{where} has a {other} that is not known here.", param=where)
    return parts
