"""What a call costs, in exact nano-dollars and in LiteLLM's floats.

`pricing.cost` rounds up once per call. Floats are made from its integers at the very end.
An unknown price raises PriceUnknown: nothing is ever a silent zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from .. import pricing
from ..pricing import PARTS_PER_DOLLAR, PriceUnknown
from ..types import Usage
from . import counting, prices
from .addresses import find_provider
from .raising import named_errors
from .results import NANOS_PER_DOLLAR, Hidden


def nanos_of(
    usage: Usage,
    provider: str,
    models: Sequence[str],
    rates: tuple[float, float] | None = None,
) -> int:
    """By the caller's own rates, else by the first of these model names that has a price."""
    return pricing.cost(usage, price_of(provider, models, rates))


def price_of(
    provider: str, models: Sequence[str], rates: tuple[float, float] | None = None
) -> pricing.Price:
    if rates is not None:
        known = {"input_cost_per_token": rates[0], "output_cost_per_token": rates[1]}
        return prices.registered_price(provider, models[0], known)
    for model in models[:-1]:
        try:
            return prices.find_price(provider, model)
        except PriceUnknown:
            continue
    return prices.find_price(provider, models[-1])


@named_errors()
def cost(
    completion_response: Any = None,
    model: str | None = None,
    prompt: str = "",
    completion: str = "",
    messages: Sequence[Any] = (),
    custom_llm_provider: str | None = None,
    custom_cost_per_token: Mapping[str, float] | None = None,
) -> int:
    """Nano-dollars of an answer, or of a prompt and its completion, whose tokens are counted."""
    if completion_response is not None and model is None and custom_cost_per_token is None:
        hidden = getattr(completion_response, "_hidden_params", None)
        if isinstance(hidden, Hidden):
            return hidden.nanos()
    model = model or _model_of(completion_response)
    row, upstream = find_provider(model, custom_llm_provider)
    if completion_response is not None:
        usage = read_usage(completion_response)
    else:
        given = counting.token_counter(upstream, **_said(prompt, messages))
        usage = Usage(given, counting.token_counter(upstream, text=completion))
    rates = _custom(custom_cost_per_token)
    return nanos_of(usage, row.name, [upstream], rates)


def completion_cost(
    completion_response: Any = None,
    model: str | None = None,
    prompt: str = "",
    completion: str = "",
    messages: Sequence[Any] = (),
    custom_llm_provider: str | None = None,
    custom_cost_per_token: Mapping[str, float] | None = None,
) -> float:
    """`cost` in dollars."""
    nanos = cost(
        completion_response,
        model,
        prompt,
        completion,
        messages,
        custom_llm_provider,
        custom_cost_per_token,
    )
    return nanos / NANOS_PER_DOLLAR


@named_errors()
def cost_per_token(
    model: str,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    *,
    custom_llm_provider: str | None = None,
    cache_read_input_tokens: int = 0,
    cache_creation_input_tokens: int = 0,
    custom_cost_per_token: Mapping[str, float] | None = None,
) -> tuple[float, float]:
    """(dollars of the prompt, dollars of the completion), not rounded to nano-dollars.

    `prompt_tokens` includes what was read from or written to a cache.
    """
    row, upstream = find_provider(model, custom_llm_provider)
    usage = Usage(
        prompt_tokens, completion_tokens, cache_read_input_tokens, cache_creation_input_tokens
    )
    price = price_of(row.name, [upstream], _custom(custom_cost_per_token))
    pricing.cost(usage, price)  # raises where a rate is missing
    lines = pricing.parts(usage, price)
    output = sum(line.quantity * line.rate for line in lines if line.kind == "output")
    rest = sum(line.quantity * line.rate for line in lines if line.kind != "output")
    return float(Fraction(rest, PARTS_PER_DOLLAR)), float(Fraction(output, PARTS_PER_DOLLAR))


def read_usage(answer: Any) -> Usage:
    """Tokens of an answer of ours, of openai's or of a dict of either; PriceUnknown without."""
    usage = _get(answer, "usage")
    if _get(usage, "prompt_tokens") is None:
        raise PriceUnknown("the answer says no usage")
    prompt = _get(usage, "prompt_tokens_details")
    return Usage(
        input_tokens=_get(usage, "prompt_tokens"),
        output_tokens=_get(usage, "completion_tokens") or 0,
        cache_read_tokens=_get(prompt, "cached_tokens") or 0,
        cache_write_tokens=_get(prompt, "cache_write_tokens") or 0,
    )


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _model_of(answer: Any) -> str:
    model = _get(answer, "model")
    if not isinstance(model, str) or not model:
        raise PriceUnknown("neither model nor an answer that names one")
    return model


def _said(prompt: str, messages: Sequence[Any]) -> dict[str, Any]:
    return {"messages": messages} if messages else {"text": prompt}


def _custom(rates: Mapping[str, float] | None) -> tuple[float, float] | None:
    if rates is None:
        return None
    return rates.get("input_cost_per_token", 0.0), rates.get("output_cost_per_token", 0.0)
