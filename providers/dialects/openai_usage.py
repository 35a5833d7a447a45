"""Usage as OpenAI's chat completions say it, audio and images among it: read, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..types import Json, Usage
from .answers import service_tier, token_counts
from .compatible import cached_in, with_reasoning
from .openai_request import OBJECTS

NOTHING: Json = {}
MEDIA = frozenset({"audio_tokens", "image_tokens"})


def read_usage(raw: Any, tier: Any = None) -> Usage | None:
    """Usage in our terms; None where it is absent or absurd. `tier` is the answer's service tier.

    Audio and images are parts of the input, cached or not. Where the details do not say how much
    of them was cached, only what must have been is: all kinds together are never over the input.
    """
    if not isinstance(raw, OBJECTS) or raw.get("prompt_tokens") is None:
        return None
    prompt = raw.get("prompt_tokens_details") or NOTHING
    completion = raw.get("completion_tokens_details") or NOTHING
    if not isinstance(prompt, OBJECTS) or not isinstance(completion, OBJECTS):
        return None
    counts = token_counts(
        raw.get("prompt_tokens"),
        raw.get("completion_tokens"),
        cached_in(raw, prompt),
        prompt.get("cache_write_tokens"),
        completion.get("reasoning_tokens"),
    )
    if counts is None:
        return None
    given, answered, cached, written, reasoning = counts
    answered = with_reasoning(raw, given, answered, reasoning)
    if cached + written > given:
        return None
    usage = Usage(
        input_tokens=given,
        output_tokens=answered,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(reasoning, answered),
        service_tier=service_tier(tier),
    )
    for name in MEDIA:
        if prompt.get(name) or completion.get(name):
            return _with_media(usage, prompt, completion)
    return usage


def _with_media(
    usage: Usage, prompt: Mapping[str, Any], completion: Mapping[str, Any]
) -> Usage | None:
    cached = prompt.get("cached_tokens_details") or {}
    counts = token_counts(
        prompt.get("audio_tokens"),
        prompt.get("image_tokens"),
        completion.get("audio_tokens"),
        completion.get("image_tokens"),
        cached.get("audio_tokens") if isinstance(cached, Mapping) else None,
        cached.get("image_tokens") if isinstance(cached, Mapping) else None,
    )
    if counts is None:
        return None
    audio, image, said, drawn, audio_read, image_read = counts
    room = usage.output_tokens - usage.reasoning_tokens
    over = audio + image + usage.cache_read_tokens + usage.cache_write_tokens - usage.input_tokens
    audio_read = min(audio, max(audio_read, over - image_read))
    image_read = min(image, max(image_read, over - audio_read))
    if audio_read + image_read < over or audio_read + image_read > usage.cache_read_tokens:
        return None
    if said + drawn > room:
        return None
    return replace(
        usage,
        input_audio_tokens=audio,
        output_audio_tokens=said,
        cache_audio_read_tokens=audio_read,
        input_image_tokens=image,
        output_image_tokens=drawn,
        cache_image_read_tokens=image_read,
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """OpenAI's usage object; kinds that are rare are named only where there are any."""
    prompt = {
        "cached_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    completion = {"reasoning_tokens": usage.reasoning_tokens}
    for details, name, tokens in (
        (prompt, "audio_tokens", usage.input_audio_tokens),
        (prompt, "image_tokens", usage.input_image_tokens),
        (completion, "audio_tokens", usage.output_audio_tokens),
        (completion, "image_tokens", usage.output_image_tokens),
    ):
        if tokens:
            details[name] = tokens
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": completion,
    }
