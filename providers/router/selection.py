"""One choice among the deployments of a group, explained. Pure.

`blocks.py` says which may be chosen. They go by: not yet tried in this call, lowest `order`, then
affinity or the strategy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ..errors import ProviderError
from ..refusals import CONTEXT_LENGTH_CODE
from .blocks import PASSING, Block, Cause, blocks_of
from .decision import Considered, Pick, Verdict
from .deployments import Deployment
from .errors import NoDeployment, NoneCapable
from .health import REQUESTS, TOKENS, Health
from .lineup import Ask, Lineup
from .needs import Needs
from .strategies import STRATEGIES, Choice, affinity, lowest

ALREADY_TRIED = "already tried in this call"


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
    """Choose one, or say for each why not.

    `force` asks for a call's last resort: a lonely one in spite of its rest, or whatever has
    become free since it was seen to rest.
    """
    blocks = blocks_of(lineup, ask, now)
    blocked = {block.deployment.id for block in blocks}
    free = [each for each in lineup.deployments if each.id not in blocked]
    choices = [_choice(each, lineup.health[each.id], ask.needs, now) for each in free]
    explained = {block.deployment.id: _skipped(block) for block in blocks}
    chosen = _lonely(blocks) if force and not choices else None
    if choices:
        chosen = _choose(choices, lineup, ask, random, explained)
    if force and chosen is not None:
        rest = "free again, and" if choices else "resting, but"
        explained[chosen.id] = _entry(chosen, Verdict.CHOSEN, f"{rest} the only one left")
    is_forced = force and chosen is not None
    return Selection(chosen, tuple(blocks), _pick(lineup, ask, at_seconds, explained), is_forced)


def _lonely(blocks: Sequence[Block]) -> Deployment | None:
    passing = [block for block in blocks if block.cause in PASSING]
    is_lonely = len(passing) == 1 and passing[0].cause is Cause.RESTING
    return passing[0].deployment if is_lonely else None


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
