"""What a request needs, and the reason why a deployment cannot give it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..catalog import PROVIDERS
from ..types import ChatRequest

if TYPE_CHECKING:
    from .deployments import Deployment


class Capability(StrEnum):
    TOOLS = "tools"
    VISION = "vision"
    JSON_SCHEMA = "json schema"
    REASONING = "reasoning"
    AUDIO_INPUT = "audio input"
    AUDIO_OUTPUT = "audio output"
    SEVERAL_ANSWERS = "n > 1"


# What a wire format has no words for, whatever the model behind it.
# https://docs.anthropic.com/en/api/messages, 2026-11: one answer per request, no audio
LACKS_OF_DIALECT: Mapping[str, frozenset[Capability]] = {
    "anthropic_messages": frozenset(
        {Capability.SEVERAL_ANSWERS, Capability.AUDIO_INPUT, Capability.AUDIO_OUTPUT}
    ),
}
PARTS: Mapping[str, Capability] = {
    "image_url": Capability.VISION,
    "image": Capability.VISION,
    "input_image": Capability.VISION,
    "input_audio": Capability.AUDIO_INPUT,
}


@dataclass(frozen=True, slots=True)
class Needs:
    """`input_tokens` as counted (0: not counted); `output_tokens` is the caller's cap, if any."""

    capabilities: frozenset[Capability] = frozenset()
    input_tokens: int = 0
    output_tokens: int | None = None
    is_stream: bool = False

    @property
    def tokens_expected(self) -> int:
        """What an attempt is counted with until its usage is known."""
        return self.input_tokens + (self.output_tokens or 0)


NOTHING_SPECIAL = Needs()


def needs_of(request: ChatRequest, input_tokens: int = 0) -> Needs:
    """What `request` needs. The cap counts once per answer, since the window is each answer's."""
    return Needs(
        frozenset({*_of_options(request.options), *_of_messages(request)}),
        input_tokens,
        request.max_tokens,
        request.stream,
    )


def _of_options(options: Mapping[str, Any]) -> Iterator[Capability]:
    if options.get("tools") or options.get("functions"):
        yield Capability.TOOLS
    if int(options.get("n") or 1) > 1:
        yield Capability.SEVERAL_ANSWERS
    wanted = options.get("response_format")
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        yield Capability.JSON_SCHEMA
    if options.get("reasoning_effort") not in {None, "none"} or _thinks(options.get("thinking")):
        yield Capability.REASONING
    if options.get("audio") or "audio" in (options.get("modalities") or ()):
        yield Capability.AUDIO_OUTPUT


def _thinks(thinking: Any) -> bool:
    return isinstance(thinking, Mapping) and thinking.get("type") != "disabled"


def _of_messages(request: ChatRequest) -> Iterator[Capability]:
    for message in request.messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            kind = PARTS.get(str(part.get("type"))) if isinstance(part, Mapping) else None
            if kind is not None:
                yield kind


def lacks_of_provider(provider: str) -> frozenset[Capability]:
    """What no deployment of this provider can do, by the wire format that it speaks."""
    return LACKS_OF_DIALECT.get(PROVIDERS[provider].dialect, frozenset())


def why_not_capable(deployment: Deployment, needs: Needs) -> str | None:
    """The capabilities that are missing, named; None where it can do all."""
    missing = needs.capabilities & deployment.lacks
    return f"cannot do {', '.join(sorted(missing))}" if missing else None


def why_too_long(deployment: Deployment, needs: Needs) -> str | None:
    """Why the request does not fit, in figures; None where it does, or where nothing is known."""
    used, cap = needs.input_tokens, needs.output_tokens or 0
    window, most = deployment.context_window, deployment.output_tokens_max
    if deployment.input_tokens_max is not None and used > deployment.input_tokens_max:
        return f"{used} input tokens, it takes {deployment.input_tokens_max}"
    if window is not None and used + cap > window:
        return f"{used} input + {cap} output tokens, its window is {window}"
    if most is not None and cap > most:
        return f"{cap} output tokens asked for, it gives {most}"
    return None
