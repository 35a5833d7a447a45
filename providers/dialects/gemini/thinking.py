"""How much the model may think, said in the words of its generation.

Up to 2.5 it is a number of tokens, from 3 on a level; giving both is refused
(https://ai.google.dev/gemini-api/docs/thinking, 2026-11). The numbers for OpenAI's efforts are
those of Gemini's OpenAI-compatible API (https://ai.google.dev/gemini-api/docs/openai, 2026-11).
Some models cannot stop thinking: "off" means the least that the model can do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import BadRequest

BY_TOKENS = re.compile(r"gemini-[12]\b")
EFFORTS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 24_576}
TOKENS_MIN_OF_PRO = 128


def thinks_in_levels(model: str) -> bool:
    """Whether the model is of generation 3 or later; names without a number are the latest."""
    return BY_TOKENS.match(model) is None


def thinking_config(options: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """`thinkingConfig` for `thinking` (Anthropic's shape) or `reasoning_effort` (OpenAI's)."""
    thinking = options.get("thinking")
    if thinking is not None:
        return _for_thinking(thinking, model)
    effort = options.get("reasoning_effort")
    if effort is None:
        return None
    if effort == "none":
        return _least(model)
    if not isinstance(effort, str) or effort not in EFFORTS:
        raise BadRequest(
            f"reasoning_effort must be none or one of {sorted(EFFORTS)}.", param="reasoning_effort"
        )
    if not thinks_in_levels(model):
        return {"includeThoughts": True, "thinkingBudget": EFFORTS[effort]}
    level = "low" if effort == "minimal" and _is_pro(model) else effort
    return {"includeThoughts": True, "thinkingLevel": level.upper()}


def _for_thinking(thinking: Any, model: str) -> dict[str, Any]:
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    if kind == "disabled":
        return _least(model)
    if kind == "adaptive":
        return {"includeThoughts": True}
    tokens = thinking.get("budget_tokens") if kind == "enabled" else None
    if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
        raise BadRequest(
            "thinking must be enabled with budget_tokens, adaptive or disabled.", param="thinking"
        )
    if not thinks_in_levels(model):
        return {"includeThoughts": True, "thinkingBudget": tokens}
    levels = (name for name in ("low", "medium") if tokens <= EFFORTS[name])
    return {"includeThoughts": True, "thinkingLevel": next(levels, "high").upper()}


def _least(model: str) -> dict[str, Any]:
    if thinks_in_levels(model):
        return {"thinkingLevel": "LOW" if _is_pro(model) else "MINIMAL"}
    return {"thinkingBudget": TOKENS_MIN_OF_PRO if _is_pro(model) else 0}


def _is_pro(model: str) -> bool:
    return "-pro" in model
