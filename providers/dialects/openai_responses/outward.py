"""A canonical request as a provider's `/responses` wants it.

Nothing is stored at the provider: `store` is always false, and where the model reasons, its
encrypted reasoning is asked for, so that the caller can send it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import Unsupported
from ...types import ChatRequest, HttpRequest, Json
from ..encoding import encoded
from .native import Beyond, beyond, named
from .request import LOGPROBS
from .tools import write_choice, write_format, write_tools
from .turns import write_items

HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
}
SAME = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "temperature",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
SAID = SAME | {
    "logprobs",
    "n",
    "reasoning_effort",
    "response_format",
    "stream_options",
    "tool_choice",
    "tools",
    "verbosity",
}
REASONING = "reasoning.encrypted_content"


def build_request(
    request: ChatRequest, *, model: str, cap_field: str = "max_output_tokens"
) -> HttpRequest:
    """The request as it goes out; `dropped` names options that this API has no words for.

    Raises BadRequest or Unsupported where leaving something out would change what is asked.
    """
    options = request.options
    if int(options.get("n") or 1) > 1:
        raise Unsupported("This model gives one answer per request.", param="n")
    for name in ("functions", "function_call"):
        if name in options:
            raise Unsupported("This model takes tools, not functions.", param=name)
    native = beyond(request.native)
    body: dict[str, Any] = {**settings(request, native), "model": model, "store": False}
    messages = list(request.messages)
    if native.has_instructions:
        body["instructions"] = messages.pop(0)["content"]
    body["input"], dropped = write_items(messages)
    if request.max_tokens is not None:
        body[cap_field] = request.max_tokens
    if request.stream:
        body["stream"] = True
        _say_stream_options(options.get("stream_options"), body)
    dropped.update(name for name in options if name not in SAID)
    accept = "text/event-stream" if request.stream else "application/json"
    return HttpRequest(
        "/responses",
        {**HEADERS, "accept": accept},
        encoded(body),
        named([*dropped, *native.left_out]),
    )


def settings(request: ChatRequest, native: Beyond) -> dict[str, Any]:
    """Every option of the request in Responses' words: for the provider, and told to the caller."""
    options = request.options
    body: dict[str, Any] = {**native.fields}
    body |= {name: value for name, value in options.items() if name in SAME}
    if options.get("tools") or native.tools:
        body["tools"] = write_tools(options.get("tools") or (), native.tools)
    if "tool_choice" in options:
        body["tool_choice"] = write_choice(options["tool_choice"])
    text = dict(native.fields.get("text", {}))
    if "response_format" in options:
        text["format"] = write_format(options["response_format"])
    if "verbosity" in options:
        text["verbosity"] = options["verbosity"]
    reasoning = dict(native.fields.get("reasoning", {}))
    if "reasoning_effort" in options:
        reasoning["effort"] = options["reasoning_effort"]
    _say_include(options, reasoning, body)
    if text:
        body["text"] = text
    if reasoning:
        body["reasoning"] = reasoning
    return body


def _say_include(options: Json, reasoning: Json, body: dict[str, Any]) -> None:
    include: Sequence[str] = body.get("include", ())
    wanted = [LOGPROBS] if options.get("logprobs") else []
    wanted += [REASONING] if reasoning else []
    extra = [name for name in wanted if name not in include]
    if include or extra:
        body["include"] = [*include, *extra]


def _say_stream_options(given: Any, body: dict[str, Any]) -> None:
    """Usage always comes with the last event; only padding is left to ask for."""
    if isinstance(given, Mapping) and "include_obfuscation" in given:
        body["stream_options"] = {"include_obfuscation": given["include_obfuscation"]}
