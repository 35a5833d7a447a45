"""Where a model name leads: by explicit choice, or automatically by the name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .catalog import Provider, resolve

ATTEMPTS_MAX = 3
FALLBACK_FOR_CLAUDE = ("openai", "gpt-4o")
FALLBACK_FOR_OTHERS = ("anthropic", "claude-sonnet-4-5-20250929")
OPENAI_NAME = re.compile(r"^(gpt|chatgpt|o\d)")


@dataclass(frozen=True, slots=True)
class Target:
    """A provider with a model there, its address and its key."""

    provider: Provider
    model: str
    base_url: str
    api_key: str = field(repr=False)

    @property
    def label(self) -> str:
        return f"{self.provider.name}/{self.model}"


def choose(model: str, provider: str | None) -> tuple[str, str]:
    """(provider, upstream model): by `provider`, by a `provider/` prefix, or by the name.

    A provider may be named by an alias of its row (`together_ai`); the row's own name comes back.
    `gpt*` and `o*` go to OpenAI, `claude*` to Anthropic, `gemini-*` to Gemini, `sim-*` to the
    simulator, and whatever is left to OpenAI.
    """
    if provider is not None:
        return resolve(provider) or provider, model.removeprefix(f"{provider}/")
    head, slash, rest = model.partition("/")
    named = resolve(head) if slash else None
    if named is not None:
        return named, rest
    if model == "sim-refuse":
        return "simulator-refuse", model
    if model.startswith("sim-"):
        return "simulator", model
    if model.startswith("claude"):
        return "anthropic", model
    if model.startswith("gemini-"):
        return "gemini", model
    return "openai", model


def fallback(provider: str, model: str) -> tuple[str, str] | None:
    """The other provider with a mapped model; None where the provider has no counterpart."""
    if provider not in {"openai", "anthropic"}:
        return None
    mapped = FALLBACK_FOR_CLAUDE if model.startswith("claude") else FALLBACK_FOR_OTHERS
    return None if mapped[0] == provider else mapped
