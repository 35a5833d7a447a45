"""Why a deployment cannot be chosen now: the filters of a choice, in their order. Pure.

| filter | lasting | what is asked |
|---|---|---|
| given up | yes | has it refused this call for good (credentials, quota, ...) |
| tags | yes | may this request use it |
| capability, length | yes | can it do what the request needs |
| resting | no | does its breaker let a call through |
| rate | no | has it requests and tokens left in the sliding minute |
| busy | no | are fewer than its parallel requests in flight |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .breaker import State
from .deployments import Deployment
from .failures import Kind
from .health import REQUESTS, TOKENS, Health
from .lineup import Ask, Lineup
from .needs import Needs, why_not_capable, why_too_long
from .settings import Settings
from .strategies import Strategy

DEFAULT_TAG = "default"
USAGE = frozenset({Strategy.USAGE, Strategy.USAGE_V2})


class Cause(StrEnum):
    GIVEN_UP = "given up"
    TAGS = "tags"
    CAPABILITY = "capability"
    LENGTH = "length"
    RESTING = "resting"
    RATE = "rate"
    BUSY = "busy"


PASSING = frozenset({Cause.RESTING, Cause.RATE, Cause.BUSY})


@dataclass(frozen=True, slots=True)
class Block:
    """Why a deployment cannot be chosen now; `wait_seconds` 0 where nobody knows for how long."""

    deployment: Deployment
    cause: Cause
    reason: str
    wait_seconds: float = 0.0
    is_limited: bool = False


def blocks_of(lineup: Lineup, ask: Ask, now: float) -> list[Block]:
    """The first reason of each deployment that has one; those that are left out may be chosen."""
    allowed = _tagged(lineup, ask.tags)
    found = (_block(each, lineup, ask.needs, allowed, now) for each in lineup.deployments)
    return [block for block in found if block is not None]


def _tagged(lineup: Lineup, tags: frozenset[str]) -> set[str] | None:
    """Ids that the request's tags allow; None where tags do not matter.

    https://docs.litellm.ai/docs/proxy/tag_routing, 2026-11: what matches, else what is tagged
    `default`; a request without tags goes to `default` ones where there are any.
    """
    if not lineup.settings.filters_tags:
        return None
    default = {each.id for each in lineup.deployments if DEFAULT_TAG in each.tags}
    if not tags:
        return default or None
    matches_any = lineup.settings.matches_any_tag
    matching = {
        each.id
        for each in lineup.deployments
        if (tags & each.tags if matches_any else tags <= each.tags)
    }
    return matching or default


def _block(
    each: Deployment, lineup: Lineup, needs: Needs, allowed: set[str] | None, now: float
) -> Block | None:
    given_up = (lineup.given_up or {}).get(each.id)
    if given_up is not None:
        return Block(each, Cause.GIVEN_UP, f"refused this call: {given_up}")
    if allowed is not None and each.id not in allowed:
        return Block(each, Cause.TAGS, f"its tags are {', '.join(sorted(each.tags)) or 'none'}")
    if (reason := why_not_capable(each, needs)) is not None:
        return Block(each, Cause.CAPABILITY, reason)
    if (reason := why_too_long(each, needs)) is not None:
        return Block(each, Cause.LENGTH, reason)
    health = lineup.health[each.id]
    return (
        _resting(each, health, now)
        or _over_rate(each, health, lineup.settings, needs, now)
        or _busy(each, health, lineup.settings)
    )


def _resting(each: Deployment, health: Health, now: float) -> Block | None:
    breaker = health.breaker
    if breaker.lets_through(now):
        return None
    is_limited = breaker.reason.startswith(Kind.RATE_LIMIT)
    if breaker.state(now) is State.HALF_OPEN:
        reason = f"being probed after {breaker.reason}"
        return Block(each, Cause.RESTING, reason, 0.0, is_limited)
    seconds = (breaker.open_until or now) - now
    reason = f"{seconds:.1f} s more after {breaker.reason}"
    return Block(each, Cause.RESTING, reason, seconds, is_limited)


def _over_rate(
    each: Deployment, health: Health, settings: Settings, needs: Needs, now: float
) -> Block | None:
    if not settings.enforces_rates and settings.strategy not in USAGE:
        return None
    minute, tokens = health.minute, needs.tokens_expected
    if each.tpm is not None and tokens > each.tpm:
        return Block(each, Cause.LENGTH, f"{tokens} tokens, its tpm is {each.tpm}")
    for field, limit, more in ((REQUESTS, each.rpm, 1), (TOKENS, each.tpm, tokens)):
        used = minute.total(now, field)
        if limit is not None and used + more > limit:
            unit = "requests" if field == REQUESTS else "tokens"
            wait = minute.seconds_until(now, field, limit - more)
            reason = f"{used} of {limit} {unit} a minute used, {more} needed"
            return Block(each, Cause.RATE, reason, wait, True)
    return None


def _busy(each: Deployment, health: Health, settings: Settings) -> Block | None:
    most = settings.parallel_max if each.parallel_max is None else each.parallel_max
    if most is None or health.in_flight < most:
        return None
    reason = f"{health.in_flight} of {most} parallel requests"
    return Block(each, Cause.BUSY, reason, 0.0, True)
