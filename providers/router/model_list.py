"""LiteLLM's `model_list` read into deployments; whatever is not understood is told.

    {"model_name": group, "litellm_params": {"model": "provider/model", ...}, "model_info": {...}}

`litellm_params` holds what the router reads (ROUTER_PARAMETERS) and what goes with every call
(CALL_PARAMETERS, kept in `Deployment.params`); any other name is an error. `model_info` is the
operator's own place: what is not read is kept in `Deployment.info`, but a name that is almost one
of INFO_NAMES is taken for a slip and is an error.
https://docs.litellm.ai/docs/routing and docs/proxy/configs, 2026-11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..catalog import PROVIDERS
from ..routing import choose
from . import fields
from .deployments import Deployment
from .errors import ConfigError
from .fields import whole
from .needs import Capability, lacks_of_provider

ENTRY_NAMES = frozenset({"model_name", "litellm_params", "model_info", "rpm", "tpm"})
ROUTER_PARAMETERS = frozenset(
    {
        "model", "custom_llm_provider", "rpm", "tpm", "weight", "order", "tags",
        "max_parallel_requests", "timeout", "stream_timeout", "cooldown_time",
        "input_cost_per_token", "output_cost_per_token",
    }
)  # fmt: skip
CALL_PARAMETERS = frozenset(
    {
        "api_key", "api_base", "base_url", "api_version", "organization", "project", "drop_params",
        "extra_headers", "headers", "extra_body", "extra_query", "mock_response",
        "additional_drop_params", "allowed_openai_params", "modify_params",
        "temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens",
        "presence_penalty", "frequency_penalty", "logit_bias", "user", "response_format", "seed",
        "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "logprobs",
        "top_logprobs", "stream_options", "reasoning_effort", "thinking", "safety_identifier",
        "service_tier", "verbosity", "modalities", "audio", "top_k", "store", "metadata",
        "prediction", "web_search_options", "prompt_cache_key", "dimensions", "encoding_format",
    }
)  # fmt: skip
ELSEWHERE: Mapping[str, str] = {
    "max_retries": "retries are counted once, by the Router: set its num_retries or retry_policy",
    "num_retries": "set the Router's num_retries, or its model_group_retry_policy for one group",
    "fallbacks": "set the Router's fallbacks",
    "region_name": "the Router does not choose by region; use tags",
}
CAPABILITIES: Mapping[str, Capability] = {
    "supports_function_calling": Capability.TOOLS,
    "supports_vision": Capability.VISION,
    "supports_response_schema": Capability.JSON_SCHEMA,
    "supports_reasoning": Capability.REASONING,
    "supports_audio_input": Capability.AUDIO_INPUT,
    "supports_audio_output": Capability.AUDIO_OUTPUT,
}
LENGTHS = ("context_window", "max_input_tokens", "max_output_tokens")
PRICES = ("input_cost_per_token", "output_cost_per_token")
INFO_NAMES = frozenset({"id", "mode", "base_model", *LENGTHS, *PRICES, *CAPABILITIES})
SLIP = 0.88
DEFAULT_ORDER = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list; `where` is how messages call it."""

    where: str
    group: str
    params: Mapping[str, Any]
    info: Mapping[str, Any]
    id: str


def read_model_list(
    model_list: Sequence[Mapping[str, Any]],
    *,
    defaults: Mapping[str, Any] | None = None,
    call_parameters: frozenset[str] = CALL_PARAMETERS,
) -> tuple[Deployment, ...]:
    """Deployments in the order of the list; raises ConfigError, naming the entry and the field.

    `defaults` (LiteLLM's `default_litellm_params`) are beneath every entry's own parameters.
    An entry without an id is called by its group and its place there: "gpt-4o:1", "gpt-4o:2".
    """
    if not isinstance(model_list, Sequence) or isinstance(model_list, str | bytes):
        raise ConfigError("model_list must be a list of deployments")
    places: Counter[str] = Counter()
    found: dict[str, Deployment] = {}
    for number, document in enumerate(model_list):
        entry = _entry(f"model_list[{number}]", document, defaults or {}, places)
        if entry.id in found:
            raise ConfigError(f"{entry.where}: the id {entry.id!r} is there twice")
        found[entry.id] = _deployment(entry, call_parameters)
    return tuple(found.values())


def _entry(where: str, document: Any, defaults: Mapping[str, Any], places: Counter[str]) -> Entry:
    if not isinstance(document, Mapping):
        raise ConfigError(f"{where} must be an object with model_name and litellm_params")
    _refuse_unknown(where, document, ENTRY_NAMES)
    group = fields.text(where, document, "model_name")
    if "*" in group:
        raise ConfigError(f"{where}.model_name: {group!r} is a pattern; name the models one by one")
    own = fields.mapping(where, document, "litellm_params")
    info = fields.mapping(where, {"model_info": {}, **document}, "model_info")
    outside = {name: document[name] for name in ("rpm", "tpm") if name in document}
    for name in outside.keys() & own.keys():
        if outside[name] != own[name]:
            raise ConfigError(f"{where}: {name} is {outside[name]} and, inside, {own[name]}")
    places[group] += 1
    id = str(info["id"]) if info.get("id") is not None else f"{group}:{places[group]}"
    return Entry(where, group, {**defaults, **outside, **own}, info, id)


def _deployment(entry: Entry, call_parameters: frozenset[str]) -> Deployment:
    where, params = f"{entry.where}.litellm_params", entry.params
    _refuse_unknown(where, params, ROUTER_PARAMETERS | call_parameters)
    provider, model = _target(where, params)
    info = _info(f"{entry.where}.model_info", entry.info)
    return Deployment(
        id=entry.id,
        group=entry.group,
        provider=provider,
        model=model,
        params={name: value for name, value in params.items() if name not in ROUTER_PARAMETERS},
        weight=fields.number(where, params, "weight"),
        rpm=whole(where, params, "rpm", least=1),
        tpm=whole(where, params, "tpm", least=1),
        order=DEFAULT_ORDER if (order := whole(where, params, "order")) is None else order,
        tags=fields.texts(where, params, "tags"),
        parallel_max=whole(where, params, "max_parallel_requests", least=1),
        lacks=_lacks(entry, provider),
        context_window=info["context_window"],
        input_tokens_max=info["max_input_tokens"],
        output_tokens_max=info["max_output_tokens"],
        input_pico_per_token=_price(entry, "input_cost_per_token"),
        output_pico_per_token=_price(entry, "output_cost_per_token"),
        timeout_seconds=fields.seconds(where, params, "timeout"),
        stream_timeout_seconds=fields.seconds(where, params, "stream_timeout"),
        cooldown_seconds=fields.number(where, params, "cooldown_time"),
        info=entry.info,
    )


def _target(where: str, params: Mapping[str, Any]) -> tuple[str, str]:
    """(provider, model); a prefix that is no provider is an error, not part of a name."""
    name = fields.text(where, params, "model")
    named = params.get("custom_llm_provider")
    head, slash, _ = name.partition("/")
    provider = str(named) if named is not None else head if slash else None
    if provider is not None and provider not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise ConfigError(f"{where}.model: {provider!r} is not a provider; known are {known}")
    return choose(name, provider)


def _info(where: str, info: Mapping[str, Any]) -> dict[str, int | None]:
    for name in info:
        if name not in INFO_NAMES:
            close = get_close_matches(name, INFO_NAMES, n=1, cutoff=SLIP)
            if close:
                raise ConfigError(f"{where}: {name!r} is not known; is it {close[0]!r}?")
    return {name: whole(where, info, name, least=1) for name in LENGTHS}


def _lacks(entry: Entry, provider: str) -> frozenset[Capability]:
    """What the wire format cannot say, and what the operator says that the model cannot do."""
    where = f"{entry.where}.model_info"
    said = {
        capability
        for name, capability in CAPABILITIES.items()
        if fields.flag(where, entry.info, name) is False
    }
    return lacks_of_provider(provider) | said


def _price(entry: Entry, name: str) -> int | None:
    """Of the call's parameters first, then of the model's own figures."""
    for where, document in (("litellm_params", entry.params), ("model_info", entry.info)):
        price = fields.pico(f"{entry.where}.{where}", document, name)
        if price is not None:
            return price
    return None


def _refuse_unknown(where: str, document: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in document:
        if name in known:
            continue
        if name in ELSEWHERE:
            raise ConfigError(f"{where}: {name!r} has no effect here; {ELSEWHERE[name]}")
        close = get_close_matches(str(name), known, n=1)
        hint = f"; is it {close[0]!r}?" if close else ""
        raise ConfigError(f"{where}: {name!r} is not known{hint}")
