"""The router against any order of events: many calls at once, any outcome, a simulated clock."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from providers.errors import (
    BadRequest,
    ConnectionLost,
    ProviderError,
    StatusError,
    TimedOut,
    Unsupported,
)
from providers.router import (
    Began,
    Call,
    Done,
    Failure,
    GiveUp,
    Step,
    Success,
    Try,
    Wait,
    read_model_list,
)
from providers.router.breaker import Breaker, State
from providers.router.budget import RetryBudget
from providers.router.decision import Verdict
from providers.router.latency import DecayingMean
from providers.router.windows import SECONDS, SlidingMinute

from .routers import World, entry

GROUPS = {"chat": ("a", "b", "c"), "solo": ("d",), "pair": ("e", "f")}
ERRORS: tuple[ProviderError, ...] = (
    StatusError("x", status=500),
    StatusError("x", status=503, retry_after_seconds=3.0),
    StatusError("x", status=429),
    StatusError("x", status=429, retry_after_seconds=40.0),
    StatusError("x", status=401),
    TimedOut("x"),
    ConnectionLost("x"),
    Unsupported("x"),
    BadRequest("x", status=400),
    BadRequest("x", status=400, code="context_length_exceeded"),
)
RETRIES = 2
ATTEMPTS_MAX = 3 * (1 + RETRIES) + 1 + len("abcdef")


@dataclass
class Flight:
    call: Call
    step: Try
    has_begun: bool = False


class Router(RuleBasedStateMachine):
    """Flights are attempts that were sent and not ended, waits are calls that sleep."""

    def __init__(self) -> None:
        super().__init__()
        given = read_model_list(
            [
                entry(group, id, max_parallel_requests=4)
                for group, ids in GROUPS.items()
                for id in ids
            ]
        )
        self.world = World(
            given,
            num_retries=RETRIES,
            allowed_fails=1,
            timeout=10_000,
            deadline=9_000,
            fallbacks=[{group: list(GROUPS)} for group in GROUPS],
            context_window_fallbacks=[{"chat": ["solo"]}, {"solo": ["chat"]}],
        )
        self.calls: list[Call] = []
        self.flights: list[Flight] = []
        self.waits: list[tuple[float, Call]] = []

    @rule(group=st.sampled_from(sorted(GROUPS)))
    def start(self, group: str) -> None:
        if len(self.calls) < 200:
            call = self.world.call(group)
            self.calls.append(call)
            self._follow(call, call.next())

    @rule(seconds=st.floats(0.0, 30.0))
    def let_time_pass(self, seconds: float) -> None:
        self.world.now += seconds

    @precondition(lambda self: self.flights)
    @rule(place=st.integers(0, 10**6), error=st.sampled_from(ERRORS))
    def fail(self, place: int, error: ProviderError) -> None:
        flight = self.flights.pop(place % len(self.flights))
        step = flight.call.next(Failure(error))
        assert not flight.has_begun or isinstance(step, GiveUp)
        self._follow(flight.call, step)

    @precondition(lambda self: self.flights)
    @rule(place=st.integers(0, 10**6))
    def answer(self, place: int) -> None:
        flight = self.flights.pop(place % len(self.flights))
        assert isinstance(flight.call.next(Success(5, 5)), Done)

    @precondition(lambda self: self.flights)
    @rule(place=st.integers(0, 10**6))
    def begin_to_answer(self, place: int) -> None:
        flight = self.flights[place % len(self.flights)]
        flight.has_begun = True
        assert isinstance(flight.call.next(Began()), Done)

    @precondition(lambda self: self.flights)
    @rule(place=st.integers(0, 10**6))
    def hang_up(self, place: int) -> None:
        self.flights.pop(place % len(self.flights)).call.abandon()

    @precondition(lambda self: self.waits)
    @rule(place=st.integers(0, 10**6))
    def wake_up(self, place: int) -> None:
        due, call = self.waits.pop(place % len(self.waits))
        self.world.now = max(self.world.now, due)
        self._follow(call, call.next())

    def _follow(self, call: Call, step: Step) -> None:
        if isinstance(step, Try):
            self.flights.append(Flight(call, step))
        if isinstance(step, Wait):
            assert 0.0 <= step.seconds <= 60.0
            self.waits.append((self.world.now + step.seconds, call))

    @invariant()
    def in_flight_is_what_is_in_flight(self) -> None:
        counted = {
            vitals.deployment.id: vitals.in_flight
            for vitals in self.world.board.vitals()
            if vitals.in_flight
        }
        assert counted == Counter(flight.step.deployment.id for flight in self.flights)

    @invariant()
    def no_breaker_lets_two_probes_through(self) -> None:
        probed = Counter(
            flight.step.deployment.id
            for flight in self.flights
            if flight.step.is_probe and not flight.has_begun
        )
        assert set(probed.values()) <= {1}

    @invariant()
    def every_choice_explains_every_candidate(self) -> None:
        for call in self.calls:
            for pick in call.decision.picks:
                assert tuple(each.deployment for each in pick.considered) == GROUPS[pick.group]
                assert all(each.reason for each in pick.considered)
                verdicts = Counter(each.verdict for each in pick.considered)
                assert verdicts[Verdict.CHOSEN] <= 1
                assert verdicts[Verdict.CHOSEN] or verdicts[Verdict.SKIPPED] == verdicts.total()

    @invariant()
    def every_attempt_was_chosen_once_and_groups_are_not_entered_twice(self) -> None:
        for call in self.calls:
            attempts, open_now = call.decision.attempts, self._open(call)
            chosen = [
                each.deployment
                for pick in call.decision.picks
                for each in pick.considered
                if each.verdict is Verdict.CHOSEN
            ]
            assert [each.deployment for each in attempts] == chosen[: len(attempts)]
            assert len(chosen) == len(attempts) + open_now <= ATTEMPTS_MAX
            assert [each.number for each in attempts] == list(range(1, len(attempts) + 1))
            groups = [pick.group for pick in call.decision.picks if not _is_forced(pick.considered)]
            entered = [group for group, _ in groupby(groups)]
            assert len(entered) == len(set(entered))

    def _open(self, call: Call) -> int:
        return sum(flight.call is call for flight in self.flights)

    def teardown(self) -> None:
        """Whatever happened: with healthy providers everything is well again in two minutes."""
        for flight in self.flights:
            flight.call.abandon()
        self.world.now += 120.0
        for vitals in self.world.board.vitals():
            assert self.world.run(vitals.deployment.id).ending.startswith("answered")
        assert {vitals.state for vitals in self.world.board.vitals()} == {"closed"}


def _is_forced(considered: tuple[object, ...]) -> bool:
    return any("the only one left" in str(each) for each in considered)


Router.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRouter = Router.TestCase


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["take", "fail", "succeed", "release"]),
            st.floats(0, 8),
            st.integers(0, 5),
        ),
        max_size=60,
    )
)
def test_a_breaker_has_one_probe_at_a_time(events: list[tuple[str, float, int]]) -> None:
    breaker, now, out = Breaker(), 0.0, list[int]()
    breaker.open(5.0, "server")
    for name, seconds, place in events:
        now += seconds
        if name == "take":
            ticket = breaker.take(now, lease_seconds=10_000)
            assert (ticket is not None) == (breaker.state(now) is State.HALF_OPEN and not out)
            out.extend([] if ticket is None else [ticket])
        elif out:
            ticket = out.pop(place % len(out))
            assert breaker.holds(ticket)
            breaker.release(ticket)
            if name == "fail":
                breaker.open(now + 5.0, "server")
            if name == "succeed":
                breaker.close()
                breaker.open(now, "server")


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(0, 9)), max_size=80))
def test_a_sliding_minute_is_what_a_list_of_everything_would_say(
    events: list[tuple[float, int]],
) -> None:
    window, kept, now = SlidingMinute(2), deque[tuple[float, int]](), 500.0
    for seconds, amount in events:
        now += seconds
        window.add(now, 1, amount)
        kept.append((now, amount))
        inside = sum(each for at, each in kept if int(at) > int(now) - SECONDS)
        assert window.total(now, 1) == inside
        assert window.total(now, 0) == 0


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 9)), min_size=1, max_size=40),
    st.integers(0, 100),
)
def test_the_wait_for_room_is_exact(events: list[tuple[float, int]], most: int) -> None:
    window, now = SlidingMinute(1), 500.0
    for seconds, amount in events:
        now += seconds
        window.add(now, 0, amount)

    wait = window.seconds_until(now, 0, most)

    assert window.total(now, 0) <= most if wait == 0 else window.total(now, 0) > most
    if wait > 0:
        assert window.total(now + wait - 0.001, 0) > most
    assert window.total(now + wait + 0.001, 0) <= most


def test_a_correction_goes_where_the_amount_was_or_nowhere() -> None:
    window = SlidingMinute(1)
    window.add(100.0, 0, 500)
    window.correct(130.0, 0, -400, at=100.0)
    assert window.total(130.0, 0) == 100
    assert window.total(160.0, 0) == 0

    window.correct(161.0, 0, -400, at=100.0)

    assert window.total(161.0, 0) == 0


@given(st.lists(st.booleans(), max_size=2_000))
def test_a_retry_budget_is_a_fifth_of_the_calls_or_ten(wants: list[bool]) -> None:
    budget, retries = RetryBudget(), 0
    for calls, wants_two in enumerate(wants, start=1):
        budget.pay_in()
        retries += sum(budget.spend() for _ in range(1 + wants_two))
        assert retries <= max(10, calls / 5)
        assert 0 <= budget.retries_left <= 10


def test_a_mean_forgets_by_time_and_not_by_number() -> None:
    mean = DecayingMean(10.0)
    for _ in range(1_000):
        mean.add(100.0, 8.0)
    mean.add(200.0, 1.0)
    assert round(mean.value(200.0) or 0, 2) == 1.3

    assert mean.value(225.0) is not None
    assert mean.value(235.0) is None
