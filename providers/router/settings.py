"""How a router behaves: every figure with its default. `read_settings.py` makes one from names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .failures import CALLERS, Kind
from .strategies import Strategy

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_SECONDS_MAX = 8.0
WAIT_SECONDS_MAX = 60.0
RETRIES_MAX = 100


@dataclass(frozen=True, slots=True)
class HealthRules:
    """When a deployment rests, and for how long.

    `allowed_fails` failures a minute are borne, one more is not; `allowed_fails_of` says so for
    one kind of failure. Where neither says anything, it rests once at least 5 attempts of the
    last minute are known and more than half of them failed; bad credentials, unknown models and
    rate limits make it rest at once. A rest is `cooldown_seconds`, twice as long each time that the
    probe after it fails (at most a minute), or the provider's `Retry-After`.
    """

    allowed_fails: int | None = None
    allowed_fails_of: Mapping[Kind, int] = field(default_factory=dict)
    cooldown_seconds: float = 5.0
    is_disabled: bool = False
    latency_memory_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How often a call may try again within one group, and how long it waits before.

    Moving on to a deployment that this call has not tried needs no wait; the same one again waits
    min(8 s, 0.5 s * 2^n) * random, and until it has rested, but never less than `wait_seconds_min`.
    """

    retries: int = 2
    retries_of: Mapping[Kind, int] = field(default_factory=dict)
    of_group: Mapping[str, Mapping[Kind, int]] = field(default_factory=dict)
    wait_seconds_min: float = 0.0

    def allowed(self, kind: Kind, group: str, asked: int | None) -> int:
        """Retries after a failure of `kind`: the group's policy, the policy, the call's, `retries`.

        What the caller did wrong is sent again only where a policy asks for it by name.
        """
        for policy in (self.of_group.get(group, {}), self.retries_of):
            if kind in policy:
                return policy[kind]
        if kind in CALLERS:
            return 0
        return self.retries if asked is None else max(0, min(asked, RETRIES_MAX))


@dataclass(frozen=True, slots=True)
class FallbackRules:
    """Where a call goes when its group cannot answer: by the name of the group, `*` for any."""

    general: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: tuple[str, ...] = ()
    context_window: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content_policy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    moves_max: int = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """`deadline_seconds` bounds a whole call, `timeout_seconds` one attempt."""

    strategy: Strategy = Strategy.SIMPLE_SHUFFLE
    latency_slack: float = 0.0
    enforces_rates: bool = False
    filters_tags: bool = False
    matches_any_tag: bool = True
    parallel_max: int | None = None
    timeout_seconds: float = 600.0
    stream_timeout_seconds: float | None = None
    deadline_seconds: float = 600.0
    health: HealthRules = HealthRules()
    retry: RetryRules = RetryRules()
    fallback: FallbackRules = FallbackRules()
