"""A request of Anthropic's messages API, checked field by field, in canonical form.

https://platform.claude.com/docs/en/api/messages, 2026-11. The package's docstring has the table of
what becomes what.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import BadRequest
from ...types import ChatRequest, Json, Native
from ..openai_request import FORBIDDEN, INTEGER_MAX, MODEL, STOPS_MAX, TOKENS_MAX
from .inward_messages import read_messages, read_system
from .inward_tools import read_choice, read_tools
from .request import DIALECT

BETA = re.compile(r"[A-Za-z0-9._-]{1,100}")
BETAS_MAX = 32
THINKING = frozenset({"enabled", "adaptive", "between_tools", "disabled"})
THINKING_TOKENS_MIN = 1_024
SERVICE_TIERS = frozenset({"auto", "standard_only"})
UNPRICED = frozenset({"fallbacks", "speed"})  # a call's price could not be told before it is made
CANONICAL = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stop_sequences",
        "temperature",
        "top_p",
        "tools",
        "tool_choice",
        "metadata",
        "stream",
        "output_config",
    }
)


def parse_request(body: object, betas: Sequence[str] = ()) -> ChatRequest:
    """The request in canonical form; raises BadRequest that names the parameter.

    `betas` are the names in the caller's `anthropic-beta` header.
    """
    if not isinstance(body, Mapping):
        raise BadRequest("The body must be a JSON object.")
    _check_names(body)
    cap = _cap(body)
    _check_own(body, cap, betas)
    return ChatRequest(
        model=_model(body),
        messages=[*read_system(body.get("system")), *read_messages(body.get("messages"))],
        max_tokens=cap,
        stream=_stream(body),
        options=_options(body),
        native=Native(DIALECT, _native(body, betas)),
    )


def parse_count(body: object) -> ChatRequest:
    """A request to count tokens: the same, but nothing is to be answered.

    https://platform.claude.com/docs/en/api/messages-count-tokens, 2026-11.
    """
    if not isinstance(body, Mapping):
        raise BadRequest("The body must be a JSON object.")
    unthinking = {name: value for name, value in body.items() if name != "thinking"}
    return parse_request({**unthinking, "max_tokens": 0, "stream": False})


def read_betas(header: str) -> tuple[str, ...]:
    """The names in an `anthropic-beta` header, in their order and each once."""
    names = [name.strip() for name in header.split(",") if name.strip()]
    if len(names) > BETAS_MAX or not all(BETA.fullmatch(name) for name in names):
        raise BadRequest(
            f"anthropic-beta must be at most {BETAS_MAX} names with commas between them.",
            param="anthropic-beta",
        )
    return tuple(dict.fromkeys(names))


def _check_names(body: Json) -> None:
    for name in sorted(FORBIDDEN.intersection(body)):
        raise BadRequest(f"Unknown parameter: {name}.", param=name, code="unknown_parameter")
    for name in sorted(UNPRICED.intersection(body)):
        if body[name] not in (None, "standard", []):
            raise BadRequest(f"{name} changes the price and is not supported.", param=name)
    for name, value in body.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and abs(value) > INTEGER_MAX:
            raise BadRequest(f"{str(name)[:100]} is too large.", param=str(name)[:100])


def _model(body: Json) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("model: Field required.", param="model")
    if not MODEL.fullmatch(model) or ".." in model:
        raise BadRequest(
            "The model does not exist.", param="model", code="model_not_found", status=404
        )
    return model


def _cap(body: Json) -> int:
    """0 is a cap too: it fills the provider's cache and answers nothing."""
    cap = body.get("max_tokens")
    if cap is None:
        raise BadRequest("max_tokens: Field required.", param="max_tokens")
    if isinstance(cap, bool) or not isinstance(cap, int) or not 0 <= cap < TOKENS_MAX:
        raise BadRequest("max_tokens must be a whole number from 0.", param="max_tokens")
    return cap


def _stream(body: Json) -> bool:
    stream = body.get("stream", False)
    if not isinstance(stream, bool):
        raise BadRequest("stream must be true or false.", param="stream")
    return stream


def _options(body: Json) -> dict[str, Any]:
    """What OpenAI has a name for too."""
    options: dict[str, Any] = {}
    for name in ("temperature", "top_p"):
        if body.get(name) is not None:
            options[name] = _number(body, name)
    stops = _stops(body.get("stop_sequences"))
    if stops:
        options["stop"] = stops
    tools = read_tools(body.get("tools"))
    if tools:
        options["tools"] = tools
    options.update(read_choice(body.get("tool_choice"), has_tools=bool(tools)))
    user = _user(body.get("metadata"))
    if user:
        options["user"] = user
    output = _output_config(body)
    if output.get("effort") is not None:
        options["reasoning_effort"] = output["effort"]
    if output.get("format") is not None:
        described = {"name": "answer", "schema": output["format"]["schema"]}
        options["response_format"] = {"type": "json_schema", "json_schema": described}
    return options


def _number(body: Json, name: str) -> float:
    value = body[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or math.isnan(value) or not 0 <= value <= 1:
        raise BadRequest(f"{name} must be a number from 0 to 1.", param=name)
    number: float = value
    return number


def _stops(stops: object) -> list[str]:
    if stops is None:
        return []
    if (
        not isinstance(stops, list)
        or len(stops) > STOPS_MAX
        or not all(isinstance(each, str) for each in stops)
    ):
        raise BadRequest(
            f"stop_sequences must be a list of at most {STOPS_MAX} strings.",
            param="stop_sequences",
        )
    return stops


def _user(metadata: object) -> str | None:
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping) or not metadata.keys() <= {"user_id"}:
        raise BadRequest("metadata may hold user_id and nothing else.", param="metadata")
    user = metadata.get("user_id")
    if user is not None and not isinstance(user, str):
        raise BadRequest("metadata.user_id must be a string.", param="metadata.user_id")
    return user


def _output_config(body: Json) -> Json:
    output = body.get("output_config")
    if output is None:
        return {}
    if not isinstance(output, Mapping):
        raise BadRequest("output_config must be an object.", param="output_config")
    if not isinstance(output.get("effort"), str | None):
        raise BadRequest("output_config.effort must be a string.", param="output_config.effort")
    wanted = output.get("format")
    is_schema = (
        isinstance(wanted, Mapping)
        and wanted.get("type") == "json_schema"
        and isinstance(wanted.get("schema"), Mapping)
    )
    if wanted is not None and not is_schema:
        raise BadRequest(
            "output_config.format must be a json_schema with its schema.",
            param="output_config.format",
        )
    return output


def _check_own(body: Json, cap: int, betas: Sequence[str]) -> None:
    top_k = body.get("top_k")
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 0):
        raise BadRequest("top_k must be a whole number from 0.", param="top_k")
    tier = body.get("service_tier")
    if tier is not None and (not isinstance(tier, str) or tier not in SERVICE_TIERS):
        raise BadRequest(
            f"service_tier must be one of {sorted(SERVICE_TIERS)}.", param="service_tier"
        )
    _check_thinking(body.get("thinking"), cap, betas)


def _check_thinking(thinking: object, cap: int, betas: Sequence[str]) -> None:
    """Between tool calls, by a beta, thinking may take more than one answer's cap."""
    if thinking is None:
        return
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    if not isinstance(thinking, Mapping) or not isinstance(kind, str) or kind not in THINKING:
        raise BadRequest(f"thinking.type must be one of {sorted(THINKING)}.", param="thinking.type")
    if kind != "enabled":
        return
    budget, where = thinking.get("budget_tokens"), "thinking.budget_tokens"
    is_whole = isinstance(budget, int) and not isinstance(budget, bool)
    if not is_whole or not isinstance(budget, int) or budget < THINKING_TOKENS_MIN:
        raise BadRequest(f"{where} must be a whole number from {THINKING_TOKENS_MIN}.", param=where)
    is_interleaved = any(name.startswith("interleaved-thinking") for name in betas)
    if budget >= cap and not is_interleaved:
        raise BadRequest(f"{where} ({budget}) must be less than max_tokens ({cap}).", param=where)


def _native(body: Json, betas: Sequence[str]) -> dict[str, Any]:
    """What has no canonical name, under Anthropic's; the betas as Bedrock names them."""
    native = {
        name: value for name, value in body.items() if name not in CANONICAL and value is not None
    }
    native.pop("anthropic_beta", None)
    output = body.get("output_config") or {}
    rest = {name: value for name, value in output.items() if name not in {"effort", "format"}}
    if rest:
        native["output_config"] = rest
    if betas:
        native["anthropic_beta"] = list(betas)
    return native
