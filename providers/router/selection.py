"""One choice among the deployments of a group: filters, order, strategy. Pure.

| filter | lasting | what is asked |
|---|---|---|
| given up | yes | has it refused this call for good (credentials, quota, ...) |
| tags | yes | may this request use it |
| capability, length | yes | can it do what the request needs |
| resting | no | does its breaker let a call through |
| rate | no | has it requests and tokens left in the sliding minute |
| busy | no | are fewer than its parallel requests in flight |

What is left goes by: not yet tried in this call, lowest `order`, then affinity or the strategy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from ..errors import ProviderError
from .breaker import State
from .budget import RetryBudget
from .decision import Considered, Pick, Verdict
from .deployments import Deployment
from .errors import NoDeployment, NoneCapable
from .failures import CONTEXT_LENGTH_CODE, Kind
from .health import REQUESTS, TOKENS, Health
from .needs import NOTHING_SPECIAL, Needs, why_not_capable, why_too_long
from .settings import Settings
from .strategies import STRATEGIES, Choice, Strategy, affinity, lowest

DEFAULT_TAG = "default"
ALREADY_TRIED = "already tried in this call"
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
class Ask:
    """One call's wishes. `retries` and `fallbacks` override the settings; () is no fallback at all.

    `session` keeps calls with the same text on one deployment. `model` is a group, an alias or the
    id of a deployment.
    """

    model: str
    needs: Needs = NOTHING_SPECIAL
    tags: frozenset[str] = frozenset()
    session: str | None = None
    retries: int | None = None
    fallbacks: tuple[str, ...] | None = None
    deadline_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Why a deployment cannot be chosen now; `wait_seconds` 0 where nobody knows for how long."""

    deployment: Deployment
    cause: Cause
    reason: str
    wait_seconds: float = 0.0
    is_limited: bool = False


@dataclass(frozen=True, slots=True)
class Lineup:
    """Where a choice is made: a group, what is known of it, and what this call has tried."""

    group: str
    deployments: Sequence[Deployment]
    health: Mapping[str, Health]
    settings: Settings
    budget: RetryBudget
    tried: Collection[str] = frozenset()
    given_up: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """`chosen` is None where every deployment is blocked; `pick` explains all of them."""

    chosen: Deployment | None
    blocks: tuple[Block, ...]
    pick: Pick
    is_forced: bool = False

    @property
    def passing(self) -> list[Block]:
        return [block for block in self.blocks if block.cause in PASSING]

    @property
    def is_only_busy(self) -> bool:
        passing = self.passing
        return bool(passing) and all(block.cause is Cause.BUSY for block in passing)

    @property
    def lonely(self) -> Deployment | None:
        """The only one that could answer, where a rest is all that keeps it from being tried."""
        return _lonely(self.blocks)

    def error(self) -> ProviderError:
        """What a call is told that ends here without having tried anything."""
        group, passing = self.pick.group, self.passing
        if passing:
            seconds = max(1.0, min(block.wait_seconds for block in passing))
            return NoDeployment(
                f"No deployment of {group!r} is free: {_listed(passing)}.",
                status=429 if all(block.is_limited for block in passing) else 503,
                code="no_deployment_available",
                retry_after_seconds=seconds,
            )
        too_long = [block for block in self.blocks if block.cause is Cause.LENGTH]
        return NoneCapable(
            f"No deployment of {group!r} can take this request: {_listed(self.blocks)}.",
            status=400,
            code=CONTEXT_LENGTH_CODE if too_long else "unsupported_by_group",
        )


def _listed(blocks: Sequence[Block]) -> str:
    named = [f"{block.deployment.id} ({block.cause}): {block.reason}" for block in blocks[:5]]
    more = len(blocks) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def select(
    lineup: Lineup, ask: Ask, *, now: float, at_seconds: float, random: Random, force: bool = False
) -> Selection:
    """Choose one, or say for each why not. `force` takes a lonely one in spite of its rest."""
    tagged = _tagged(lineup, ask.tags)
    blocks = [
        block
        for deployment in lineup.deployments
        if (block := _block(deployment, lineup, ask.needs, tagged, now)) is not None
    ]
    blocked = {block.deployment.id for block in blocks}
    free = [each for each in lineup.deployments if each.id not in blocked]
    choices = [_choice(each, lineup.health[each.id], ask.needs, now) for each in free]
    explained = {block.deployment.id: _skipped(block) for block in blocks}
    chosen = _lonely(blocks) if force and not choices else None
    is_forced = chosen is not None
    if choices:
        chosen = _choose(choices, lineup, ask, random, explained)
    elif chosen is not None:
        explained[chosen.id] = _entry(chosen, Verdict.CHOSEN, "resting, but the only one left")
    return Selection(chosen, tuple(blocks), _pick(lineup, ask, at_seconds, explained), is_forced)


def _lonely(blocks: Sequence[Block]) -> Deployment | None:
    passing = [block for block in blocks if block.cause in PASSING]
    is_lonely = len(passing) == 1 and passing[0].cause is Cause.RESTING
    return passing[0].deployment if is_lonely else None


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
    each: Deployment, lineup: Lineup, needs: Needs, tagged: set[str] | None, now: float
) -> Block | None:
    given_up = (lineup.given_up or {}).get(each.id)
    if given_up is not None:
        return Block(each, Cause.GIVEN_UP, f"refused this call: {given_up}")
    if tagged is not None and each.id not in tagged:
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
    minute, tokens = health.minute, tokens_expected(needs)
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


def tokens_expected(needs: Needs) -> int:
    """What an attempt is counted with until its usage is known."""
    return needs.input_tokens + (needs.output_tokens or 0)


def _choice(each: Deployment, health: Health, needs: Needs, now: float) -> Choice:
    mean = health.first_token if needs.is_stream else health.whole
    return Choice(
        each,
        health.in_flight,
        mean.value(now),
        health.minute.total(now, REQUESTS),
        health.minute.total(now, TOKENS),
    )


def _choose(
    choices: Sequence[Choice],
    lineup: Lineup,
    ask: Ask,
    random: Random,
    explained: dict[str, Considered],
) -> Deployment:
    """The winner; writes into `explained` why it won and why the others did not."""
    fresh = [each for each in choices if each.deployment.id not in lineup.tried] or list(choices)
    order = min(each.deployment.order for each in fresh)
    tier = [each for each in fresh if each.deployment.order == order]
    if ask.session is not None:
        scores = affinity(tier, ask.session)
    else:
        scorer = STRATEGIES[lineup.settings.strategy]
        scores = scorer(tier, ask.needs, random, lineup.settings.latency_slack)
    place = lowest(scores, random)
    for number, (choice, score) in enumerate(zip(tier, scores, strict=True)):
        verdict = Verdict.CHOSEN if number == place else Verdict.PASSED_OVER
        reason = f"score {', '.join(f'{part:g}' for part in score)}"
        explained[choice.deployment.id] = _scored(choice, verdict, reason)
    for choice in choices:
        if choice.deployment.id not in explained:
            is_later = choice.deployment.order > order
            reason = f"order {choice.deployment.order} after {order}" if is_later else ALREADY_TRIED
            explained[choice.deployment.id] = _scored(choice, Verdict.PASSED_OVER, reason)
    return tier[place].deployment


def _scored(choice: Choice, verdict: Verdict, reason: str) -> Considered:
    return _entry(choice.deployment, verdict, reason, _figures(choice))


def _figures(choice: Choice) -> dict[str, float]:
    figures: dict[str, float] = {
        "in flight": choice.in_flight,
        "requests/min": choice.requests,
        "tokens/min": choice.tokens,
    }
    if choice.seconds is not None:
        figures["seconds"] = choice.seconds
    return figures


def _skipped(block: Block) -> Considered:
    return _entry(block.deployment, Verdict.SKIPPED, f"{block.cause}: {block.reason}")


def _entry(
    each: Deployment, verdict: Verdict, reason: str, figures: Mapping[str, float] | None = None
) -> Considered:
    return Considered(each.id, each.label, verdict, reason, figures or {})


def _pick(lineup: Lineup, ask: Ask, at_seconds: float, explained: Mapping[str, Considered]) -> Pick:
    strategy = "affinity" if ask.session is not None else str(lineup.settings.strategy)
    considered = tuple(explained[each.id] for each in lineup.deployments)
    return Pick(at_seconds, lineup.group, strategy, considered)
