"""What a model can be asked for.

Which options a provider has words for is not kept in a list: its dialect is asked to build a
request with each, and says what it would leave out. What a model can do is in a table of families,
read from the providers' model pages (2026-11), after what `register_model` was told. A model that
neither knows can do nothing, as in LiteLLM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..catalog import Provider
from ..client import DIALECTS
from ..errors import BadRequest
from ..types import ChatRequest
from . import prices
from .addresses import find_provider
from .raising import named_errors

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"name": "s", "schema": {"type": "object", "properties": {}}}
SAMPLES: Mapping[str, Any] = {
    "audio": {"voice": "alloy", "format": "mp3"},
    "frequency_penalty": 0.5,
    "function_call": "auto",
    "functions": [TOOL["function"]],
    "logit_bias": {"1": 1},
    "logprobs": True,
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 0.5,
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": SCHEMA},
    "seed": 1,
    "service_tier": "auto",
    "stop": ["x"],
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "tool_choice": "auto",
    "tools": [TOOL],
    "top_logprobs": 1,
    "top_p": 0.5,
    "user": "u",
    "web_search_options": {},
}
ALWAYS = ("max_completion_tokens", "max_tokens", "stream")

# platform.openai.com/docs/models, docs.anthropic.com/en/docs/about-claude/models/overview
MODERN = "tools parallel schema vision system choice caching"
FAMILIES: tuple[tuple[str, re.Pattern[str], frozenset[str]], ...] = tuple(
    (dialect, re.compile(pattern), frozenset(words.split()))
    for dialect, pattern, words in (
        ("openai_chat", r"sim-", "tools parallel system choice"),
        ("anthropic_messages", r"sim-", "tools parallel system choice"),
        ("openai_chat", r"o1-(mini|preview)", "reasoning"),
        ("openai_chat", r"gpt-\S*(audio|realtime)", "tools choice system audio"),
        ("openai_chat", r"gpt-\S*(transcribe|tts|image|whisper)|gpt-image", ""),
        ("openai_chat", r"gpt-(5|6)\S*chat", "schema vision system caching"),
        ("openai_chat", r"gpt-(5|6)", f"{MODERN} reasoning pdf"),
        ("openai_chat", r"o3-mini", "tools schema system choice caching reasoning"),
        ("openai_chat", r"o\d", "tools schema vision system choice caching reasoning pdf"),
        ("openai_chat", r"(chat)?gpt-4(o|\.1|\.5)", f"{MODERN} pdf"),
        ("openai_chat", r"gpt-4-turbo", "tools parallel vision system choice"),
        ("openai_chat", r"gpt-(4|3\.5-turbo)(?!-instruct|-vision)", "tools system choice"),
        ("anthropic_messages", r"claude-(2|instant)", "system"),
        ("anthropic_messages", r"claude-3-(opus|sonnet|haiku)", "tools vision system choice"),
        ("anthropic_messages", r"claude-3-5", "tools vision system choice caching pdf parallel"),
        ("anthropic_messages", r"claude-", f"{MODERN} reasoning pdf"),
    )
)


@named_errors()
def get_supported_openai_params(model: str, custom_llm_provider: str | None = None) -> list[str]:
    """OpenAI's options that this model's provider has words for, sorted."""
    row, upstream = find_provider(model, custom_llm_provider)
    said = [name for name, value in SAMPLES.items() if _is_said(row, upstream, name, value)]
    return sorted([*said, *ALWAYS])


def _is_said(row: Provider, model: str, name: str, value: Any) -> bool:
    options = {name: value}
    if name in {"tool_choice", "parallel_tool_calls"}:
        options["tools"] = [TOOL]
    request = ChatRequest(model, [{"role": "user", "content": "x"}], 2048, options=options)
    try:
        built = DIALECTS[row.dialect].build_request(request, model=model, cap_field=row.cap_field)
    except BadRequest:
        return False
    return name not in built.dropped


def _can(word: str, field: str, model: str, provider: str | None) -> bool:
    try:
        row, upstream = find_provider(model, provider)
    except BadRequest:
        return False
    told = prices.registered.get((row.name, upstream), {}).get(field)
    if told is not None:
        return bool(told)
    for dialect, pattern, words in FAMILIES:
        if dialect == row.dialect and pattern.match(upstream):
            return word in words
    return False


def supports_function_calling(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("tools", "supports_function_calling", model, custom_llm_provider)


def supports_tool_choice(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("choice", "supports_tool_choice", model, custom_llm_provider)


def supports_parallel_function_calling(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("parallel", "supports_parallel_function_calling", model, custom_llm_provider)


def supports_response_schema(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("schema", "supports_response_schema", model, custom_llm_provider)


def supports_vision(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("vision", "supports_vision", model, custom_llm_provider)


def supports_audio_input(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("audio", "supports_audio_input", model, custom_llm_provider)


def supports_pdf_input(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("pdf", "supports_pdf_input", model, custom_llm_provider)


def supports_prompt_caching(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("caching", "supports_prompt_caching", model, custom_llm_provider)


def supports_reasoning(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("reasoning", "supports_reasoning", model, custom_llm_provider)


def supports_system_messages(model: str, custom_llm_provider: str | None = None) -> bool:
    return _can("system", "supports_system_messages", model, custom_llm_provider)
