"""All deployments with what is known of them, shared by every call of a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from .budget import RetryBudget
from .call import Call
from .deployments import Deployment, by_group
from .errors import ConfigError
from .health import ANSWERS, FAILURES, REQUESTS, TOKENS, Health
from .lineup import Ask, Lineup
from .route import resolved
from .settings import Settings

DEPLOYMENTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Vitals:
    """How one deployment is now; counts are those of the last minute."""

    deployment: Deployment
    state: str
    reason: str
    in_flight: int
    requests: int
    tokens: int
    answers: int
    failures: int
    seconds: float | None
    first_token_seconds: float | None


class Switchboard:
    """Makes calls. Thread-safe: one lock, held for a decision and never while anybody waits.

    `clock` gives seconds that do not run backwards; `random` decides shuffles, ties and jitter.
    Memory is bounded by the deployments: nothing is kept per request, session or caller.
    """

    def __init__(
        self,
        deployments: Sequence[Deployment],
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock
        self.lock = threading.RLock()
        self.health: dict[str, Health] = {}
        self._random = random or Random()
        self._budgets: dict[str, RetryBudget] = {}
        self.replace(deployments)

    def replace(self, deployments: Sequence[Deployment]) -> None:
        """Other deployments from now on; those with an id that was there keep their health."""
        if len(deployments) > DEPLOYMENTS_MAX:
            raise ConfigError(f"{len(deployments)} deployments, at most {DEPLOYMENTS_MAX} fit")
        by_id = {each.id: each for each in deployments}
        if len(by_id) < len(deployments):
            raise ConfigError("two deployments have the same id")
        with self.lock:
            self._by_id, self._groups = by_id, by_group(deployments)
            self.health = {id: self._health_of(each) for id, each in by_id.items()}
            budgets = self._budgets
            self._budgets = {group: budgets.get(group) or RetryBudget() for group in self._groups}

    def _health_of(self, each: Deployment) -> Health:
        """What is known of it already, or a new one; its rest is as long as it says now."""
        rules = self.settings.health
        health = self.health.get(each.id) or Health(rules)
        own = each.cooldown_seconds
        health.cooldown_seconds = rules.cooldown_seconds if own is None else own
        return health

    def call(self, ask: Ask) -> Call:
        """A new call, whose time runs from now on; nothing is chosen before its first `next()`."""
        with self.lock:
            return Call(self, ask, self._random)

    def enter(self, name: str) -> Lineup | None:
        """A call comes to a group (or a deployment, by its id); None where there is neither."""
        single = self._by_id.get(name)
        group = name if name in self._groups or single is None else single.group
        members = self._groups.get(name) or (() if single is None else (single,))
        if not members:
            return None
        budget = self._budgets[group]
        budget.pay_in()
        return Lineup(name, members, self.health, self.settings, budget)

    def knows(self, name: str) -> bool:
        """Whether a call for this name would find a group, an alias or a deployment."""
        target = resolved(name, self.settings.fallback.aliases)
        return target in self._groups or target in self._by_id

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self._groups)

    def vitals(self) -> list[Vitals]:
        """How every deployment is now, for status pages and tests."""
        with self.lock:
            now = self.clock()
            return [self._vitals(each, now) for each in self._by_id.values()]

    def _vitals(self, each: Deployment, now: float) -> Vitals:
        health = self.health[each.id]
        counts = [health.minute.total(now, n) for n in (REQUESTS, TOKENS, ANSWERS, FAILURES)]
        requests, tokens, answers, failures = counts
        return Vitals(
            each,
            str(health.breaker.state(now)),
            health.breaker.reason,
            health.in_flight,
            requests,
            tokens,
            answers,
            failures,
            health.whole.value(now),
            health.first_token.value(now),
        )
