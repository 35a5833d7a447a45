"""Where a choice is made, and for whom: a group at hand, and the wishes of one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .budget import RetryBudget
from .deployments import Deployment
from .health import Health
from .needs import NOTHING_SPECIAL, Needs
from .settings import Settings


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
class Lineup:
    """Where a choice is made: a group, what is known of it, and what this call has tried."""

    group: str
    deployments: Sequence[Deployment]
    health: Mapping[str, Health]
    settings: Settings
    budget: RetryBudget
    tried: Collection[str] = frozenset()
    given_up: Mapping[str, str] | None = None
