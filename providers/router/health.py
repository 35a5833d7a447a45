"""What is known of one deployment: is it well, how busy, how fast, how much in the last minute.

Bounded: one breaker, one fixed-size window, two means and a counter per deployment, whatever the
traffic. Not thread-safe by itself; the switchboard's lock is around it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .breaker import Breaker, State
from .failures import CALLERS, RESTS_AT_ONCE, Kind
from .latency import DecayingMean
from .settings import HealthRules
from .windows import SlidingMinute

REQUESTS, TOKENS, ANSWERS, FAILURES = 0, 1, 2, 3
KINDS = {kind: number for number, kind in enumerate(Kind, start=FAILURES + 1)}
FIELDS = FAILURES + 1 + len(KINDS)
FAILED_SHARE_MAX = 0.5
ATTEMPTS_TO_JUDGE = 5
LEASE_SLACK_SECONDS = 1.0
REST_SECONDS_MAX = 60.0
DOUBLINGS_MAX = 16


@dataclass(frozen=True, slots=True)
class Ticket:
    """An attempt under way: when it began, what it was expected to use, whether it decides."""

    began: float
    tokens: int
    probe: int | None
    is_forced: bool


class Health:
    """The life of a deployment's attempts: `begin`, then one of the three endings."""

    __slots__ = (
        "_rests",
        "_rules",
        "breaker",
        "cooldown_seconds",
        "first_token",
        "in_flight",
        "minute",
        "whole",
    )

    def __init__(self, rules: HealthRules) -> None:
        self._rules = rules
        self.cooldown_seconds = rules.cooldown_seconds
        self._rests = 0
        self.breaker = Breaker()
        self.minute = SlidingMinute(FIELDS)
        self.whole = DecayingMean(rules.latency_memory_seconds)
        self.first_token = DecayingMean(rules.latency_memory_seconds)
        self.in_flight = 0

    def begin(self, now: float, tokens: int, timeout_seconds: float, is_forced: bool) -> Ticket:
        """Count an attempt that is about to be sent, with the tokens that it is expected to use."""
        probe = self.breaker.take(now, timeout_seconds + LEASE_SLACK_SECONDS)
        self.in_flight += 1
        self.minute.add(now, REQUESTS)
        self.minute.add(now, TOKENS, tokens)
        return Ticket(now, tokens, probe, is_forced and probe is None)

    def spoke(self, now: float, ticket: Ticket) -> None:
        """The first token of a stream has come: it is alive, whatever comes of the rest."""
        self.first_token.add(now, now - ticket.began)
        self._note_alive(ticket)

    def succeeded(self, now: float, ticket: Ticket, tokens: int | None) -> None:
        self._end(now, ticket, tokens)
        self.whole.add(now, now - ticket.began)
        self.minute.add(now, ANSWERS)
        self._note_alive(ticket)

    def failed(self, now: float, ticket: Ticket, kind: Kind, rest_seconds: float | None) -> None:
        """`rest_seconds` is the provider's own Retry-After."""
        self._end(now, ticket, None)
        if kind in CALLERS and kind not in self._rules.allowed_fails_of:
            # It answered, and what it said is about the request: as good as a success.
            self._note_alive(ticket)
            return
        self.minute.add(now, FAILURES)
        self.minute.add(now, KINDS[kind])
        if kind is Kind.TIMEOUT:
            # Else one that never answers in time would look like one that nobody has tried.
            self.whole.add(now, now - ticket.began)
            self.first_token.add(now, now - ticket.began)
        was_probe = self.breaker.holds(ticket.probe)
        self.breaker.release(ticket.probe)
        if not self._rules.is_disabled:
            self._judge(now, kind, rest_seconds, was_probe)

    def abandoned(self, now: float, ticket: Ticket) -> None:
        """Neither well nor ill: the attempt was cancelled on our side."""
        self._end(now, ticket, None)
        self.breaker.release(ticket.probe)

    def _end(self, now: float, ticket: Ticket, tokens: int | None) -> None:
        self.in_flight -= 1
        if tokens is not None:
            self.minute.correct(now, TOKENS, tokens - ticket.tokens, at=ticket.began)

    def _note_alive(self, ticket: Ticket) -> None:
        """A probe closes the breaker, and so does an attempt that was made in spite of it."""
        if self.breaker.holds(ticket.probe) or ticket.is_forced:
            self.breaker.close()
            self._rests = 0
            for field in range(FAILURES, FIELDS):
                self.minute.clear(field)

    def _judge(self, now: float, kind: Kind, rest_seconds: float | None, was_probe: bool) -> None:
        """Open the breaker, or leave a later recovery time as it stands.

        What the operator's policy bears, it bears with a Retry-After too.
        """
        is_closed = self.breaker.state(now) is State.CLOSED
        is_borne = kind in self._rules.allowed_fails_of and not self._is_enough(now, kind)
        if rest_seconds and not (is_borne and is_closed):
            self.breaker.open(now + rest_seconds, f"{kind}, Retry-After {rest_seconds:g} s")
            return
        if was_probe or (is_closed and self._is_enough(now, kind)):
            self.breaker.open(now + self._rest_seconds(), str(kind))
            self._rests = min(DOUBLINGS_MAX, self._rests + 1)

    def _rest_seconds(self) -> float:
        """Twice as long after each probe that fails, but no more than a minute if it was less."""
        longest = max(self.cooldown_seconds, REST_SECONDS_MAX)
        return min(longest, self.cooldown_seconds * 2.0**self._rests)

    def _is_enough(self, now: float, kind: Kind) -> bool:
        of_kind = self._rules.allowed_fails_of.get(kind)
        if of_kind is not None:
            return self.minute.total(now, KINDS[kind]) > of_kind
        if kind in RESTS_AT_ONCE:
            return True
        failures = self.minute.total(now, FAILURES)
        if self._rules.allowed_fails is not None:
            return failures > self._rules.allowed_fails
        attempts = failures + self.minute.total(now, ANSWERS)
        return attempts >= ATTEMPTS_TO_JUDGE and failures > FAILED_SHARE_MAX * attempts
