"""A canonical request as Anthropic's messages API wants it.

System messages are lifted out, turns of one role are merged, tool results go first into the next
user turn. https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...errors import BadRequest, Unsupported
from ...types import ChatRequest, HttpRequest

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "anthropic-version": "2023-06-01",
}
MAX_TOKENS_DEFAULT = 4_096
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
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
EMPTY_TURN = {"type": "text", "text": "."}


def build_request(
    request: ChatRequest, *, model: str, cap_field: str = "max_tokens"
) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for."""
    options = request.options
    if int(options.get("n") or 1) > 1:
        raise Unsupported("This model gives one answer per request.", param="n")
    system, messages = _turns(request.messages)
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens or MAX_TOKENS_DEFAULT,
        "messages": messages,
    }
    if system:
        body["system"] = system
    if request.stream:
        body["stream"] = True
    _say_sampling(options, body)
    _say_tools(options, body)
    _say_format(options, body)
    dropped = [name for name in options if name not in SAID and name != "n"]
    accept = "text/event-stream" if request.stream else "application/json"
    headers = {**HEADERS, "accept": accept}
    return HttpRequest("/v1/messages", headers, orjson.dumps(body), tuple(sorted(dropped)))


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


def _say_tools(options: Mapping[str, Any], body: dict[str, Any]) -> None:
    tools = [tool["function"] for tool in options.get("tools") or () if "function" in tool]
    if tools:
        body["tools"] = [
            {
                "name": tool["name"],
                **({"description": tool["description"]} if tool.get("description") else {}),
                "input_schema": tool.get("parameters") or {"type": "object", "properties": {}},
            }
            for tool in tools
        ]
    choice = _tool_choice(options.get("tool_choice"))
    if options.get("parallel_tool_calls") is False and tools:
        choice = choice or {"type": "auto"}
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True
    if choice is not None and tools:
        body["tool_choice"] = choice


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


def _turns(messages: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[dict[str, Any]]]:
    """(system blocks, turns). Later system messages join the first ones, in order."""
    system: list[Any] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = message["role"]
        if role in {"system", "developer"}:
            system += _blocks(message.get("content"))
            continue
        blocks = _assistant(message) if role == "assistant" else _user(message)
        speaker = "assistant" if role == "assistant" else "user"
        if turns and turns[-1]["role"] == speaker:
            _merge(turns[-1]["content"], blocks)
        elif blocks:
            turns.append({"role": speaker, "content": blocks})
    if not turns or turns[0]["role"] != "user":
        turns.insert(0, {"role": "user", "content": [dict(EMPTY_TURN)]})
    return system, turns


def _merge(turn: list[dict[str, Any]], blocks: list[dict[str, Any]]) -> None:
    """Tool results stand before any text of their turn."""
    results = [block for block in blocks if block["type"] == "tool_result"]
    at = sum(1 for block in turn if block["type"] == "tool_result")
    turn[at:at] = results
    turn += [block for block in blocks if block["type"] != "tool_result"]


def _user(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message["role"] != "tool":
        return _blocks(message.get("content"))
    content = message.get("content")
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": message["tool_call_id"]}
    blocks = _blocks(content)
    if blocks:
        result["content"] = blocks
    return [result]


def _assistant(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Thinking comes back unchanged and first, then text, then the calls."""
    blocks = [dict(block) for block in message.get("thinking_blocks") or ()]
    blocks += _blocks(message.get("content"))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        try:
            arguments = orjson.loads(function.get("arguments") or "{}")
        except orjson.JSONDecodeError as error:
            raise BadRequest(
                f"The arguments of tool call {call['id'][:100]} are not JSON.", param="messages"
            ) from error
        blocks.append(
            {
                "type": "tool_use",
                "id": call["id"],
                "name": function["name"],
                "input": arguments,
            }
        )
    return blocks


def _blocks(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = [_block(part) for part in content or ()]
    return [block for block in blocks if block is not None]


def _block(part: Mapping[str, Any]) -> dict[str, Any] | None:
    cached = {"cache_control": part["cache_control"]} if "cache_control" in part else {}
    match part["type"]:
        case "text":
            return {"type": "text", "text": part["text"], **cached} if part["text"] else None
        case "refusal":
            return {"type": "text", "text": part.get("refusal") or "."}
        case "image_url":
            return {"type": "image", "source": _image(part["image_url"]), **cached}
        case "image" | "document" | "tool_result" | "tool_use" | "thinking":
            return dict(part)
    raise Unsupported(f"This model cannot read a part of type {part['type'][:50]!r}.")


def _image(image: Any) -> dict[str, Any]:
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        raise BadRequest("image_url must have a url.", param="messages")
    match = DATA_URL.fullmatch(url)
    if match is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": match[1], "data": match[2]}
