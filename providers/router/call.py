"""One call as a state machine without I/O: it says what to do, and is told what came of it.

    step = call.next()                       # Try, Wait, GiveUp or Done
    Try   -> send it, then call.next(Success(...)), call.next(Failure(error)),
             or for a stream call.next(Began()) at its first token and one of the others at its end
    Wait  -> sleep, then call.next()
    GiveUp -> raise its error
    Done  -> give the answer; after Began the stream goes on, and its end is still to be told

Whoever stops in between (a cancelled task, an error of our own) calls `abandon()`. Every way ends:
attempts, waits and moves are bounded, and so is time.

| after a failure | the call |
|---|---|
| a retry is allowed, the budget has one, a deployment is free or will be in time | tries again |
| else, a fallback group is left | moves there, with retries of its own |
| else, one that rests is the only one of its group and was not tried | tries it, once |
| else | gives up with the last error |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from ..errors import ProviderError
from .decision import UNDER_WAY, Attempt, Decision, Note
from .deployments import Deployment
from .errors import DeadlinePassed, ModelUnknown
from .failures import CALLERS, NOT_THERE_AGAIN, Kind, kind_of
from .health import Health, Ticket
from .lineup import Ask, Lineup
from .route import Route
from .selection import Selection, select
from .settings import BACKOFF_FIRST_SECONDS, BACKOFF_SECONDS_MAX, WAIT_SECONDS_MAX
from .steps import Began, Done, Failure, GiveUp, Outcome, Step, Success, Try, Wait

if TYPE_CHECKING:
    from .switchboard import Switchboard

BUSY_WAITS_MAX = 20
BUSY_FIRST_SECONDS = 0.05
BUSY_SECONDS_MAX = 1.0


@dataclass(slots=True)
class UnderWay:
    """The attempt that has been sent and not yet ended."""

    step: Try
    group: str
    health: Health
    ticket: Ticket
    has_begun: bool = False


class Call:
    """`decision` explains it at any time. One thread at a time; many calls share a switchboard."""

    def __init__(self, board: Switchboard, ask: Ask, random: Random) -> None:
        self.decision = Decision(ask.model)
        self._board = board
        self._ask = ask
        self._random = random
        self._began = board.clock()
        wanted = ask.deadline_seconds
        self._seconds_max = board.settings.deadline_seconds if wanted is None else wanted
        self._route = Route(ask.model, board.settings.fallback, ask.fallbacks)
        self._lineup = self._entered()
        self._number = 0
        self._retries = 0
        self._busy_waits = 0
        self._is_retrying = False
        self._under_way: UnderWay | None = None
        self._error: ProviderError | None = None
        self._resting: Lineup | None = None
        self._tried: set[str] = set()
        self._given_up: dict[str, str] = {}

    def next(self, outcome: Outcome | None = None) -> Step:
        """What to do now. `outcome` is that of the attempt under way, None where there is none."""
        with self._board.lock:
            now = self._board.clock()
            assert self.decision.ending == UNDER_WAY, "the call is over"
            if outcome is None:
                assert self._under_way is None, "the attempt under way has not been told"
                return self._choose(now)
            assert self._under_way is not None, "there is no attempt under way"
            match outcome:
                case Began():
                    return self._spoke(now, self._under_way)
                case Success():
                    return self._answered(now, self._under_way, outcome)
                case Failure():
                    return self._failed(now, self._under_way, outcome.error)

    def abandon(self) -> None:
        """Stop here: what was taken is given back, and no health is judged by it. Idempotent."""
        with self._board.lock:
            flight, self._under_way = self._under_way, None
            if flight is not None:
                now = self._board.clock()
                flight.health.abandoned(now, flight.ticket)
                self._record(now, flight, "abandoned")
            if self.decision.ending == UNDER_WAY:
                self.decision.ending = "abandoned"

    def _choose(self, now: float) -> Step:
        if now >= self._began + self._seconds_max:
            return self._give_up(self._error or self._late())
        if self._lineup is None:
            self._error = self._error or ModelUnknown(self._route.group)
            return self._move_on(now, Kind.NOT_FOUND)
        selection = self._select(now, self._lineup)
        if selection.chosen is not None:
            return self._try(now, self._lineup, selection, selection.chosen)
        self.decision.steps.append(selection.pick)
        if self._error is not None and self._is_retrying:
            return self._move_on(now, kind_of(self._error))
        return self._blocked(now, selection, self._lineup)

    def _blocked(self, now: float, selection: Selection, lineup: Lineup) -> Step:
        """Nothing can be tried here now: wait for a free place, or go on."""
        wait = self._busy_wait()
        if selection.is_only_busy and wait is not None and now + wait < self._ends_at:
            self._busy_waits += 1
            return self._wait(now, wait, "for a free place")
        if selection.lonely is not None and self._resting is None:
            self._resting = lineup
        error = selection.error()
        self._error = self._error or error
        return self._move_on(now, kind_of(error))

    def _busy_wait(self) -> float | None:
        if self._busy_waits >= BUSY_WAITS_MAX:
            return None
        most = min(BUSY_SECONDS_MAX, BUSY_FIRST_SECONDS * 2.0**self._busy_waits)
        return self._random.uniform(most / 2, most)

    def _try(self, now: float, lineup: Lineup, selection: Selection, chosen: Deployment) -> Try:
        self.decision.steps.append(selection.pick)
        seconds = min(self._timeout_seconds(chosen), self._ends_at - now)
        health = lineup.health[chosen.id]
        tokens = self._ask.needs.tokens_expected
        ticket = health.begin(now, tokens, seconds, selection.is_forced)
        self._number += 1
        self._tried.add(chosen.id)
        is_probe = ticket.probe is not None
        step = Try(chosen, self._number, seconds, is_probe, selection.is_forced)
        self._under_way = UnderWay(step, lineup.group, health, ticket)
        return step

    def _timeout_seconds(self, chosen: Deployment) -> float:
        settings = self._board.settings
        whole = chosen.timeout_seconds or settings.timeout_seconds
        if not self._ask.needs.is_stream:
            return whole
        return chosen.stream_timeout_seconds or settings.stream_timeout_seconds or whole

    def _spoke(self, now: float, flight: UnderWay) -> Step:
        if not flight.has_begun:
            flight.has_begun = True
            flight.health.spoke(now, flight.ticket)
        return Done(flight.step.deployment)

    def _answered(self, now: float, flight: UnderWay, success: Success) -> Step:
        used = success.input_tokens, success.output_tokens
        tokens = None if None in used else sum(count for count in used if count is not None)
        flight.health.succeeded(now, flight.ticket, tokens)
        self._under_way = None
        self._record(now, flight, "ok", success=success)
        self.decision.ending = f"answered by {flight.step.deployment.id}"
        return Done(flight.step.deployment)

    def _failed(self, now: float, flight: UnderWay, error: ProviderError) -> Step:
        kind, deployment = kind_of(error), flight.step.deployment
        rest = error.retry_after_seconds
        flight.health.failed(now, flight.ticket, kind, rest)
        self._under_way, self._error = None, error
        self._record(now, flight, str(kind), status=error.status)
        if kind in NOT_THERE_AGAIN:
            self._given_up[deployment.id] = str(kind)
        if flight.has_begun or flight.step.is_forced:
            return self._give_up(error)
        return self._again(now, kind, error, deployment)

    def _again(self, now: float, kind: Kind, error: ProviderError, failed: Deployment) -> Step:
        """A retry within the group where everything allows one, else on to the next group."""
        assert self._lineup is not None
        is_free = kind is Kind.UNSUPPORTED
        rules = self._board.settings.retry
        if not is_free and self._retries >= rules.allowed(
            kind, self._route.group, self._ask.retries
        ):
            return self._move_on(now, kind)
        selection = self._select(now, self._lineup)
        wait = self._retry_wait(now, kind, selection, error)
        if wait is None:
            return self._move_on(now, kind)
        if not is_free:
            if not self._lineup.budget.spend():
                self._note(now, "no retry: the group's retry budget is spent")
                return self._move_on(now, kind)
            self._retries += 1
        self._is_retrying = True
        if wait > 0 or selection.chosen is None:
            return self._wait(now, wait, f"before retry {self._retries}")
        return self._try(now, self._lineup, selection, selection.chosen)

    def _retry_wait(
        self, now: float, kind: Kind, selection: Selection, error: ProviderError
    ) -> float | None:
        """Seconds to wait before the next attempt; None where none can be made in time."""
        least = self._board.settings.retry.wait_seconds_min
        chosen, passing = selection.chosen, selection.passing
        if chosen is not None and chosen.id not in self._tried:
            wait = least
        elif chosen is not None:
            wait = max(least, self._jitter(), error.retry_after_seconds or 0.0)
        elif passing and not self._route.has_more(kind):
            wait = max(least, self._jitter(), min(block.wait_seconds for block in passing))
        else:
            return None
        patience = BACKOFF_SECONDS_MAX if self._route.has_more(kind) else WAIT_SECONDS_MAX
        return wait if wait <= patience and now + wait < self._ends_at else None

    def _jitter(self) -> float:
        """Full jitter: anything from no wait to all of it, so that callers do not come together."""
        most = min(BACKOFF_SECONDS_MAX, BACKOFF_FIRST_SECONDS * 2.0 ** min(self._retries, 10))
        return self._random.uniform(0.0, most)

    def _move_on(self, now: float, kind: Kind) -> Step:
        """To the next group; where none is left, to the one that rests; else give up."""
        assert self._error is not None
        before = self._route.group
        if self._route.after(kind) is not None:
            self._note(now, f"moves from {before} to {self._route.group}: {kind}")
            self._retries, self._is_retrying = 0, False
            self._lineup = self._entered()
            return self._choose(now)
        lineup, self._resting = self._resting, None
        if lineup is not None and (kind not in CALLERS or self._number == 0):
            selection = self._select(now, lineup, force=True)
            if selection.chosen is not None and now < self._ends_at:
                return self._try(now, lineup, selection, selection.chosen)
        return self._give_up(self._error)

    def _give_up(self, error: ProviderError) -> GiveUp:
        self.decision.ending = f"gave up: {kind_of(error)}"
        return GiveUp(error)

    def _wait(self, now: float, seconds: float, why: str) -> Wait:
        self._note(now, f"waits {seconds:.3f} s {why}")
        return Wait(seconds)

    def _late(self) -> DeadlinePassed:
        return DeadlinePassed(f"The call's {self._seconds_max:g} s have passed.", status=504)

    @property
    def _ends_at(self) -> float:
        return self._began + self._seconds_max

    def _entered(self) -> Lineup | None:
        """The lineup of the route's group now; None where no group has that name."""
        return self._board.enter(self._route.group)

    def _select(self, now: float, lineup: Lineup, *, force: bool = False) -> Selection:
        here = replace(lineup, tried=self._tried, given_up=self._given_up)
        at = now - self._began
        return select(here, self._ask, now=now, at_seconds=at, random=self._random, force=force)

    def _note(self, now: float, text: str) -> None:
        self.decision.steps.append(Note(now - self._began, text))

    def _record(
        self,
        now: float,
        flight: UnderWay,
        outcome: str,
        *,
        status: int | None = None,
        success: Success | None = None,
    ) -> None:
        step, used = flight.step, success or Success()
        self.decision.steps.append(
            Attempt(
                number=step.number,
                at_seconds=flight.ticket.began - self._began,
                seconds=now - flight.ticket.began,
                group=flight.group,
                deployment=step.deployment.id,
                label=step.deployment.label,
                outcome=outcome,
                status=status,
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                cost_nanos=used.cost_nanos,
                is_probe=step.is_probe,
                is_forced=step.is_forced,
            )
        )
