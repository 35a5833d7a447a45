"""What a call says to whoever drives it (Step), and what it is told (Outcome)."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ProviderError
from .deployments import Deployment


@dataclass(frozen=True, slots=True)
class Try:
    """Send the request to `deployment`; it must have ended after `timeout_seconds`."""

    deployment: Deployment
    number: int
    timeout_seconds: float
    is_probe: bool = False
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    error: ProviderError


@dataclass(frozen=True, slots=True)
class Done:
    deployment: Deployment


Step = Try | Wait | GiveUp | Done


@dataclass(frozen=True, slots=True)
class Began:
    """The first token of a stream: from here on no other deployment may answer."""


@dataclass(frozen=True, slots=True)
class Success:
    """An answer that is whole, or a stream that came to its end. None: not known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    error: ProviderError


Outcome = Began | Success | Failure
