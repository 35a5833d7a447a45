"""Which of several deployments: one function per strategy, all of one shape. Pure.

Each takes the choices and a random source, and gives one score per choice: the lowest wins, and
equal scores are decided by chance. What may be chosen at all is decided before (`selection.py`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from .deployments import Deployment
from .needs import Needs

OUTPUT_TOKENS_GUESS = 256


class Strategy(StrEnum):
    SIMPLE_SHUFFLE = "simple-shuffle"
    LEAST_BUSY = "least-busy"
    LATENCY = "latency-based-routing"
    COST = "cost-based-routing"
    USAGE = "usage-based-routing"
    USAGE_V2 = "usage-based-routing-v2"


@dataclass(frozen=True, slots=True)
class Choice:
    """A deployment that could be chosen now, with its figures of this moment.

    `seconds` is the mean latency that matters to this request: to the first token for a stream,
    else to the whole answer; None where it is not known. `requests` and `tokens` are those of the
    last minute.
    """

    deployment: Deployment
    in_flight: int = 0
    seconds: float | None = None
    requests: int = 0
    tokens: int = 0


Score = tuple[float, ...]
Scorer = Callable[[Sequence[Choice], Needs, Random, float], list[Score]]


def shuffle(choices: Sequence[Choice], needs: Needs, random: Random, slack: float) -> list[Score]:
    """Chance in proportion to weight; where nobody has one, to rpm; where nobody has that, to tpm.

    -ln(u) / w with u uniform in (0, 1] is exponential with rate w, and the smallest of those
    belongs to i with the probability w_i / sum(w): a weighted draw as a score.
    """
    weights = shares([choice.deployment for choice in choices])
    return [(_drawn(1.0 - random.random(), weight),) for weight in weights]


def shares(deployments: Sequence[Deployment]) -> list[float]:
    """The weights of the draw; one that lacks the figure weighs as much as the others' mean."""
    for figure in ("weight", "rpm", "tpm"):
        values = [getattr(deployment, figure) for deployment in deployments]
        known = [float(value) for value in values if value is not None]
        if known:
            mean = sum(known) / len(known)
            return [mean if value is None else float(value) for value in values]
    return [1.0] * len(deployments)


def _drawn(uniform: float, weight: float) -> float:
    """Infinite for a weight of 0: chosen only where all others weigh nothing too."""
    return -math.log(uniform) / weight if weight > 0 else math.inf


def least_busy(
    choices: Sequence[Choice], needs: Needs, random: Random, slack: float
) -> list[Score]:
    """The fewest attempts in flight."""
    return [(float(choice.in_flight),) for choice in choices]


def latency(choices: Sequence[Choice], needs: Needs, random: Random, slack: float) -> list[Score]:
    """The lowest mean seconds times (attempts in flight + 1).

    One that is not known is tried at once if it is idle, so that it becomes known, and counts as
    the slowest while that try is under way, so that not everybody tries it together. All within
    (1 + slack) of the best are equal.
    """
    known = [choice.seconds for choice in choices if choice.seconds is not None]
    slowest = max(known, default=1.0)
    costs = [_seconds_expected(choice, slowest) for choice in choices]
    edge = min(costs, default=0.0) * (1.0 + slack)
    return [(0.0 if cost <= edge else cost,) for cost in costs]


def _seconds_expected(choice: Choice, slowest: float) -> float:
    if choice.seconds is None:
        return slowest * (choice.in_flight + 1) if choice.in_flight else 0.0
    return choice.seconds * (choice.in_flight + 1)


def cost(choices: Sequence[Choice], needs: Needs, random: Random, slack: float) -> list[Score]:
    """The fewest nano-dollars for the counted input and the cap (256 tokens where none is given).

    One whose price is not known comes last, never first.
    """
    used, cap = needs.input_tokens, needs.output_tokens or OUTPUT_TOKENS_GUESS
    costs = [choice.deployment.cost_nanos(used, cap) for choice in choices]
    return [(math.inf if nanos is None else float(nanos),) for nanos in costs]


def usage(choices: Sequence[Choice], needs: Needs, random: Random, slack: float) -> list[Score]:
    """The smallest part of its rpm and tpm used with this request, then the fewest tokens.

    A deployment without limits always has room: its part is 0.
    """
    return [(_part_used(choice, needs.tokens_expected), float(choice.tokens)) for choice in choices]


def _part_used(choice: Choice, tokens: int) -> float:
    rpm, tpm = choice.deployment.rpm, choice.deployment.tpm
    return max(
        (choice.requests + 1) / rpm if rpm else 0.0,
        (choice.tokens + tokens) / tpm if tpm else 0.0,
    )


STRATEGIES: Mapping[Strategy, Scorer] = {
    Strategy.SIMPLE_SHUFFLE: shuffle,
    Strategy.LEAST_BUSY: least_busy,
    Strategy.LATENCY: latency,
    Strategy.COST: cost,
    Strategy.USAGE: usage,
    Strategy.USAGE_V2: usage,
}


def affinity(choices: Sequence[Choice], session: str) -> list[Score]:
    """Weighted rendezvous hashing: a session keeps its deployment as long as that is there.

    When one falls away only its own sessions move, and they spread over the rest by weight; when
    it comes back, they come back.
    """
    weights = shares([choice.deployment for choice in choices])
    return [
        (_drawn(_hashed(session, choice.deployment.id), weight),)
        for choice, weight in zip(choices, weights, strict=True)
    ]


def _hashed(session: str, deployment: str) -> float:
    """A number in (0, 1] that depends on both and on nothing else, in any process."""
    text = f"{len(session)}:{session}{deployment}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return ((int.from_bytes(digest) >> 11) + 1) / (1 << 53)


def lowest(scores: Sequence[Score], random: Random) -> int:
    """The place of the lowest score; equal ones are drawn by lot."""
    best = min(scores)
    places = [place for place, score in enumerate(scores) if score == best]
    return places[0] if len(places) == 1 else random.choice(places)
