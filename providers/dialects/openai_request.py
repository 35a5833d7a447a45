"""A caller's chat completion request, checked field by field before anything is done with it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ..errors import BadRequest
from ..types import ChatRequest
from .urls import check_image

MESSAGES_MAX = 100_000
TOOLS_MAX = 128
ANSWERS_MAX = 8
STOPS_MAX = 16
TOKENS_MAX = 10**9
INTEGER_MAX = 2**53
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
FORBIDDEN = frozenset(
    {
        "api_base",
        "base_url",
        "api_key",
        "organization",
        "extra_headers",
        "extra_body",
        "extra_query",
        "timeout",
        "proxies",
    }
)
OWN = frozenset({"model", "messages", "max_tokens", "max_completion_tokens", "stream", "provider"})
NUMBERS = frozenset({int, float})
OBJECTS = (dict, Mapping)  # a dict is told at once; the general question costs ten times as much
SPEAKERS = frozenset({"system", "developer", "user", "assistant"})
MODEL = re.compile(r"[A-Za-z0-9._:/@+-]{1,256}")  # it becomes a part of addresses and reports
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAME = re.compile(r"[a-z0-9_-]{1,64}")


def parse_request(body: object) -> ChatRequest:
    """The request in canonical form; raises BadRequest that names the parameter."""
    if not isinstance(body, OBJECTS):
        raise BadRequest("The body must be a JSON object.")
    if not FORBIDDEN.isdisjoint(body):
        name = min(FORBIDDEN.intersection(body))
        raise BadRequest(f"Unknown parameter: {name}.", param=name, code="unknown_parameter")
    _check_integers(body)
    stream = _boolean(body, "stream")
    options = {name: value for name, value in body.items() if value is not None and name not in OWN}
    if options:
        _check_options(options, stream)
    stream_options = options.get("stream_options") or {}
    return ChatRequest(
        model=_model(body),
        messages=_messages(body),
        max_tokens=_cap(body),
        stream=stream,
        include_usage=stream_options.get("include_usage") is True,
        provider=_provider(body),
        options=options,
    )


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("You must provide a model.", param="model")
    if not MODEL.fullmatch(model) or ".." in model:
        raise BadRequest(
            "The model does not exist.", param="model", code="model_not_found", status=404
        )
    return model


def _provider(body: Mapping[str, Any]) -> str | None:
    provider = body.get("provider")
    if provider is None or provider == "auto":
        return None
    if not isinstance(provider, str) or not NAME.fullmatch(provider):
        raise BadRequest("provider must name a provider, or be auto.", param="provider")
    return provider


def _messages(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not 0 < len(messages) <= MESSAGES_MAX:
        raise BadRequest("messages must be a list that is not empty.", param="messages")
    for at, message in enumerate(messages):
        if not _only_speaks(message):
            _check_message(message, f"messages.{at}")
    return messages


def _only_speaks(message: object) -> bool:
    """A role and a text, as nearly every message of nearly every call is."""
    if type(message) is not dict or len(message) != 2:
        return False
    role = message.get("role")
    return type(role) is str and role in SPEAKERS and type(message.get("content")) is str


def _check_message(message: object, where: str) -> None:
    if not isinstance(message, Mapping):
        raise BadRequest(f"{where} must be an object.", param=where)
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or role not in ROLES:
        raise BadRequest(f"{where}.role must be one of {sorted(ROLES)}.", param=f"{where}.role")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise BadRequest(f"{where}.tool_call_id is missing.", param=f"{where}.tool_call_id")
    calls = message.get("tool_calls")
    if calls is not None:
        _check_calls(calls, where)
    thinking = message.get("thinking_blocks")
    if thinking is not None and not (
        isinstance(thinking, list) and all(isinstance(block, Mapping) for block in thinking)
    ):
        raise BadRequest(
            f"{where}.thinking_blocks must be a list.", param=f"{where}.thinking_blocks"
        )
    if content is None:
        if role != "assistant":
            raise BadRequest(f"{where}.content is missing.", param=f"{where}.content")
        return
    if isinstance(content, list):
        for part in content:
            if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
                raise BadRequest(f"{where}.content has a bad part.", param=f"{where}.content")
            if part["type"] == "text" and not isinstance(part.get("text"), str):
                raise BadRequest(f"{where}.content has a bad text.", param=f"{where}.content")
            if part["type"] == "image_url":
                check_image(part.get("image_url"), f"{where}.content")
    elif not isinstance(content, str):
        raise BadRequest(
            f"{where}.content must be a string or a list of parts.", param=f"{where}.content"
        )


def _check_calls(calls: object, where: str) -> None:
    valid = isinstance(calls, list) and all(
        isinstance(call, Mapping)
        and isinstance(call.get("id"), str)
        and isinstance(call.get("function"), Mapping)
        and isinstance(call["function"].get("name"), str)
        and isinstance(call["function"].get("arguments"), str)
        for call in calls
    )
    if not valid:
        raise BadRequest(f"{where}.tool_calls is not valid.", param=f"{where}.tool_calls")


def _cap(body: Mapping[str, Any]) -> int | None:
    if body.get("max_tokens") is None and body.get("max_completion_tokens") is None:
        return None
    caps = {}
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < TOKENS_MAX:
            raise BadRequest(f"{name} must be a whole number from 1.", param=name)
        caps[name] = value
    if len(set(caps.values())) > 1:
        raise BadRequest(
            "max_tokens and max_completion_tokens differ.", param="max_completion_tokens"
        )
    return next(iter(caps.values()), None)


def _boolean(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false.", param=name)
    return value


def _check_options(options: Mapping[str, Any], stream: bool) -> None:
    _check_number(options, "temperature", 0, 2)
    _check_number(options, "top_p", 0, 1)
    answers = options.get("n")
    if answers is not None and (
        isinstance(answers, bool) or not isinstance(answers, int) or not 1 <= answers <= ANSWERS_MAX
    ):
        raise BadRequest(f"n must be a whole number from 1 to {ANSWERS_MAX}.", param="n")
    if options.get("best_of") not in (None, 1):
        raise BadRequest("best_of is not supported.", param="best_of")
    stream_options = options.get("stream_options")
    if stream_options is not None and not (stream and isinstance(stream_options, Mapping)):
        raise BadRequest("stream_options needs stream, and is an object.", param="stream_options")
    _check_format(options.get("response_format"))
    _check_stop(options.get("stop"))
    _check_tools(options.get("tools"))


def _check_number(options: Mapping[str, Any], name: str, low: float, high: float) -> None:
    value = options.get(name)
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or math.isnan(value) or not low <= value <= high:
        raise BadRequest(f"{name} must be a number from {low} to {high}.", param=name)


def _check_format(wanted: object) -> None:
    if wanted is None:
        return
    if not isinstance(wanted, Mapping) or not isinstance(wanted.get("type"), str):
        raise BadRequest("response_format must have a type.", param="response_format")
    if wanted["type"] == "json_schema":
        described = wanted.get("json_schema")
        if not isinstance(described, Mapping) or not isinstance(described.get("schema"), Mapping):
            raise BadRequest("response_format must have a json_schema.", param="response_format")


def _check_stop(stop: object) -> None:
    if stop is None or isinstance(stop, str):
        return
    if (
        not isinstance(stop, list)
        or len(stop) > STOPS_MAX
        or not all(isinstance(each, str) for each in stop)
    ):
        raise BadRequest(f"stop must be a string or at most {STOPS_MAX} strings.", param="stop")


def _check_tools(tools: object) -> None:
    if tools is None:
        return
    if not isinstance(tools, list) or len(tools) > TOOLS_MAX:
        raise BadRequest(f"tools must be a list of at most {TOOLS_MAX}.", param="tools")
    for at, tool in enumerate(tools):
        where = f"tools.{at}"
        if not isinstance(tool, Mapping):
            raise BadRequest(f"{where} must be an object.", param=where)
        if not isinstance(tool.get("type"), str):
            raise BadRequest(f"{where}.type is missing.", param=where)
        if tool["type"] == "function" or "function" in tool:
            function = tool.get("function")
            name = function.get("name") if isinstance(function, Mapping) else None
            if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
                raise BadRequest(f"{where}.function.name is not valid.", param=where)


def _check_integers(body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if type(value) in NUMBERS and abs(value) > INTEGER_MAX:
            raise BadRequest(f"{str(name)[:100]} is too large.", param=str(name)[:100])
