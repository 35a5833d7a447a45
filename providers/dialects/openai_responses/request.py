"""A caller's Responses request in canonical form, checked field by field.

The gateway keeps no content: what refers to something kept is refused by name, and `store` is
accepted and answered as false.
https://platform.openai.com/docs/api-reference/responses/create, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...errors import BadRequest
from ...types import ChatRequest, Json, Native
from .. import openai_request
from .items import read_items
from .native import DIALECT, NAME, Beyond
from .tools import read_choice, read_format, read_tools

# Parameters that name something stored or still running, and what to do instead.
STORED = {
    "previous_response_id": "send the whole conversation in input",
    "conversation": "send the whole conversation in input",
    "prompt": "send its text in instructions or input",
}
CHATS = ("messages", "max_tokens", "max_completion_tokens", "n", "best_of", "response_format")
# Read here, one by one; every other field is as in chat, or only a Responses provider knows it.
OWN = frozenset(
    {
        *STORED,
        "background",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "reasoning",
        "store",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
    }
)
SAME = frozenset(
    {
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "stream_options",
        "temperature",
        "top_p",
        "user",
    }
)
KINDS: Mapping[str, tuple[type, str]] = {
    "background": (bool, "true or false"),
    "instructions": (str, "a string"),
    "max_output_tokens": (int, "a whole number"),
    "max_tool_calls": (int, "a whole number"),
    "metadata": (dict, "an object of strings"),
    "parallel_tool_calls": (bool, "true or false"),
    "prompt_cache_key": (str, "a string"),
    "reasoning": (dict, "an object"),
    "safety_identifier": (str, "a string"),
    "service_tier": (str, "a string"),
    "store": (bool, "true or false"),
    "text": (dict, "an object"),
    "top_logprobs": (int, "a whole number"),
    "truncation": (str, "auto or disabled"),
    "user": (str, "a string"),
}
LOGPROBS = "message.output_text.logprobs"
LOGPROBS_MAX = 20


def parse_request(body: object) -> ChatRequest:
    """The request in canonical form; raises BadRequest that names the parameter."""
    if not isinstance(body, Mapping):
        raise BadRequest("The body must be a JSON object.")
    given = {name: value for name, value in body.items() if value is not None}
    _check_kinds(given)
    tools, beyond, left_out = read_tools(given.get("tools", []))
    checked = _checked(given, tools)
    options = {name: value for name, value in checked.options.items() if name in SAME}
    fields = {
        name: value
        for name, value in checked.options.items()
        if name not in SAME and name != "tools"
    }
    if tools:
        options["tools"] = tools
    _read_choice(given, options, fields)
    _read_text(given.get("text", {}), options, fields)
    _read_reasoning(given.get("reasoning", {}), options, fields)
    _read_include(given, options, fields)
    messages = read_items(given.get("input"))
    if "instructions" in given:
        messages.insert(0, {"role": "system", "content": given["instructions"]})
    return replace(
        checked,
        messages=messages,
        max_tokens=given.get("max_output_tokens"),
        options=options,
        native=Native(
            DIALECT, Beyond(fields, tuple(beyond), tuple(left_out), "instructions" in given)
        ),
    )


def _check_kinds(given: Json) -> None:
    for name, instead in STORED.items():
        if name in given:
            raise BadRequest(
                f"{name} refers to stored content, and nothing is stored here; {instead}.",
                param=name,
                code="unsupported_parameter",
            )
    for name in CHATS:
        if name in given:
            raise BadRequest(f"Unknown parameter: {name}.", param=name, code="unknown_parameter")
    for name, (kind, words) in KINDS.items():
        value = given.get(name)
        is_wrong = not isinstance(value, kind) or (kind is int and isinstance(value, bool))
        if value is not None and is_wrong:
            raise BadRequest(f"{name} must be {words}.", param=name)
    if given.get("background"):
        raise BadRequest(
            "background keeps answers for later, and nothing is stored here.",
            param="background",
            code="unsupported_parameter",
        )
    _check_values(given)


def _check_values(given: Json) -> None:
    if not 0 < given.get("max_output_tokens", 1) < openai_request.TOKENS_MAX:
        raise BadRequest(
            "max_output_tokens must be a whole number from 1.", param="max_output_tokens"
        )
    if not 0 <= given.get("top_logprobs", 0) <= LOGPROBS_MAX:
        raise BadRequest(f"top_logprobs must be from 0 to {LOGPROBS_MAX}.", param="top_logprobs")
    if given.get("truncation", "auto") not in {"auto", "disabled"}:
        raise BadRequest("truncation must be auto or disabled.", param="truncation")
    if not all(isinstance(each, str) for each in given.get("metadata", {}).values()):
        raise BadRequest("metadata must be an object of strings.", param="metadata")


def _checked(given: Json, tools: list[Json]) -> ChatRequest:
    """What chat has too, by chat's own checks; the messages come later."""
    same = {name: value for name, value in given.items() if name not in OWN}
    for name in same:
        if not NAME.fullmatch(str(name)):
            raise BadRequest("The body has a parameter without a proper name.")
    placeholder = [{"role": "user", "content": ""}]
    return openai_request.parse_request({**same, "messages": placeholder, "tools": tools})


def _read_choice(given: Json, options: dict[str, Any], fields: dict[str, Any]) -> None:
    if "tool_choice" not in given:
        return
    choice, beyond = read_choice(given["tool_choice"])
    if beyond is None:
        options["tool_choice"] = choice
    else:
        fields["tool_choice"] = beyond


def _read_text(text: Json, options: dict[str, Any], fields: dict[str, Any]) -> None:
    if text.get("format") is not None:
        options["response_format"] = read_format(text["format"])
    verbosity = text.get("verbosity")
    if verbosity is not None:
        if verbosity not in ("low", "medium", "high"):
            raise BadRequest("text.verbosity must be low, medium or high.", param="text.verbosity")
        options["verbosity"] = verbosity
    _keep_rest("text", text, ("format", "verbosity"), fields)


def _read_reasoning(reasoning: Json, options: dict[str, Any], fields: dict[str, Any]) -> None:
    effort = reasoning.get("effort")
    if effort is not None:
        if not isinstance(effort, str):
            raise BadRequest("reasoning.effort must be a string.", param="reasoning.effort")
        options["reasoning_effort"] = effort
    _keep_rest("reasoning", reasoning, ("effort",), fields)


def _keep_rest(name: str, value: Json, said: tuple[str, ...], fields: dict[str, Any]) -> None:
    rest = {key: each for key, each in value.items() if key not in said and each is not None}
    if rest:
        fields[name] = rest


def _read_include(given: Json, options: dict[str, Any], fields: dict[str, Any]) -> None:
    include = given.get("include", [])
    if not isinstance(include, list) or not all(isinstance(each, str) for each in include):
        raise BadRequest("include must be a list of strings.", param="include")
    if include:
        fields["include"] = include
    if given.get("top_logprobs"):
        options["top_logprobs"] = given["top_logprobs"]
    if LOGPROBS in include or given.get("top_logprobs"):
        options["logprobs"] = True
