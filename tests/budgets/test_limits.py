from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.limits import RateAnswer, RateLimit, take

NOW_US = 1_795_000_000_000_000
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
INT64_MAX = 2**63 - 1

limits = st.builds(
    RateLimit, st.integers(min_value=1, max_value=200), st.sampled_from([1, 7, 60, 3_600])
)
# Pauses of nothing, of about one spacing, and of more than a whole period.
pauses = st.lists(
    st.one_of(
        st.just(0),
        st.integers(min_value=0, max_value=2_000),
        st.integers(min_value=0, max_value=10 * SECOND_US),
        st.integers(min_value=0, max_value=5_000 * SECOND_US),
    ),
    max_size=300,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One call: when it came, what was known before it, and the answer."""

    now_us: int
    tat_us: int | None
    answer: RateAnswer


def run(limit: RateLimit, pauses_us: list[int], cost: int = 1) -> list[Step]:
    steps: list[Step] = []
    now, tat = NOW_US, None
    for pause in pauses_us:
        now += pause
        answer = take(limit, tat, now, cost)
        steps.append(Step(now, tat, answer))
        tat = answer.tat_us if answer.allowed else tat
    return steps


def admitted_at(steps: list[Step]) -> list[int]:
    return [step.now_us for step in steps if step.answer.allowed]


@pytest.mark.parametrize("count", [1, 7, 59, 60, 61, 999, 20_001])
def test_exactly_the_count_fits_at_once(count: int) -> None:
    steps = run(RateLimit(count), [0] * (count + 1))

    assert [step.answer.allowed for step in steps] == [True] * count + [False]
    assert [step.answer.remaining for step in steps] == [*range(count - 1, -1, -1), 0]


def test_after_a_quiet_period_all_of_them_fit_again() -> None:
    steps = run(RateLimit(7), [0] * 8 + [61 * SECOND_US] + [0] * 7)

    assert [step.answer.allowed for step in steps] == [True] * 7 + [False] + [True] * 7 + [False]


def test_a_first_call_starts_with_the_whole_burst() -> None:
    assert take(RateLimit(60), None, NOW_US) == RateAnswer(True, NOW_US + SECOND_US, 59, 0)


def test_a_row_that_was_made_but_never_used_counts_as_a_first_call() -> None:
    assert take(RateLimit(60), 0, NOW_US) == take(RateLimit(60), None, NOW_US)


def test_a_refused_call_changes_nothing() -> None:
    limit = RateLimit(1)
    first = take(limit, None, NOW_US)

    second = take(limit, first.tat_us, NOW_US + SECOND_US)

    assert second == RateAnswer(False, first.tat_us, 0, 59 * SECOND_US)


@pytest.mark.parametrize(("count", "cost"), [(0, 1), (-5, 1), (3, 4)])
def test_what_can_never_fit_is_told_to_come_back_after_one_period(count: int, cost: int) -> None:
    assert take(RateLimit(count), None, NOW_US, cost) == RateAnswer(False, 0, 0, 60 * SECOND_US)


def test_a_cost_of_nothing_is_the_callers_mistake() -> None:
    with pytest.raises(AssertionError, match="at least one"):
        take(RateLimit(60), None, NOW_US, 0)


def test_a_refused_bundle_says_how_many_single_calls_still_fit() -> None:
    limit = RateLimit(10)
    used = take(limit, None, NOW_US, 7)

    answer = take(limit, used.tat_us, NOW_US, 4)

    assert (answer.allowed, answer.remaining) == (False, 3)
    assert take(limit, used.tat_us, NOW_US, 3).allowed


@pytest.mark.parametrize(("before", "after"), [(60, 30), (30, 60), (1_000, 1), (1, 1_000)])
def test_a_changed_limit_never_refuses_longer_than_two_periods(before: int, after: int) -> None:
    tat = run(RateLimit(before), [0] * before)[-1].answer.tat_us

    at_once = take(RateLimit(after), tat, NOW_US)

    assert at_once.retry_after_us <= 120 * SECOND_US
    assert take(RateLimit(after), tat, NOW_US + 120 * SECOND_US).allowed


def test_a_shorter_period_does_not_keep_the_wait_of_the_longer_one() -> None:
    tat = run(RateLimit(10, 86_400), [0] * 10)[-1].answer.tat_us

    assert take(RateLimit(10, 60), tat, NOW_US).allowed


def test_a_clock_put_back_by_a_day_does_not_refuse_for_a_day() -> None:
    limit = RateLimit(60)
    used = run(limit, [0] * 60)[-1].answer

    assert take(limit, used.tat_us, NOW_US - DAY_US).allowed


def test_a_clock_put_back_by_a_moment_gives_no_fresh_burst() -> None:
    limit = RateLimit(60)
    used = run(limit, [0] * 60)[-1].answer

    answer = take(limit, used.tat_us, NOW_US - 5 * SECOND_US)

    assert (answer.allowed, answer.retry_after_us) == (False, 6 * SECOND_US)


@pytest.mark.parametrize("count", [20_000, 100_000_000, 2**31 - 1])
def test_the_state_fits_a_64_bit_column_for_centuries(count: int) -> None:
    year_2500_us = 530 * 366 * DAY_US

    assert take(RateLimit(count), None, year_2500_us, count).tat_us < INT64_MAX


@given(limits, pauses)
def test_no_stretch_of_time_admits_more_than_the_burst_and_its_share(
    limit: RateLimit, pauses_us: list[int]
) -> None:
    times = admitted_at(run(limit, pauses_us))

    assert all(
        last - first + 1
        <= limit.count
        + (times[last] - times[first]) * limit.count // (limit.per_seconds * SECOND_US)
        for first in range(len(times))
        for last in range(first, len(times))
    )


@given(limits, st.integers(min_value=1, max_value=400))
def test_an_eager_caller_gets_its_share_to_within_a_microsecond_a_call(
    limit: RateLimit, calls: int
) -> None:
    now, tat = NOW_US, None
    for _ in range(calls):
        wait = take(limit, tat, now).retry_after_us
        now += wait
        tat = take(limit, tat, now).tat_us

    exact_us = max(calls - limit.count, 0) * limit.per_seconds * SECOND_US // limit.count

    assert exact_us <= now - NOW_US <= exact_us + calls


@given(limits, pauses, st.data())
def test_the_wait_is_true_to_the_microsecond(
    limit: RateLimit, pauses_us: list[int], data: st.DataObject
) -> None:
    cost = data.draw(st.integers(min_value=1, max_value=limit.count))
    refused = [step for step in run(limit, pauses_us, cost) if not step.answer.allowed]

    assert all(
        take(limit, step.tat_us, step.now_us + step.answer.retry_after_us, cost).allowed
        and not take(limit, step.tat_us, step.now_us + step.answer.retry_after_us - 1, cost).allowed
        for step in refused
    )


@given(limits, pauses)
def test_what_remains_really_fits_and_one_more_does_not(
    limit: RateLimit, pauses_us: list[int]
) -> None:
    steps = run(limit, pauses_us)

    assert all(0 <= step.answer.remaining < limit.count for step in steps)
    assert all(fits(limit, step, step.answer.remaining) for step in steps)
    assert not any(fits(limit, step, step.answer.remaining + 1) for step in steps)


def fits(limit: RateLimit, step: Step, cost: int) -> bool:
    return cost == 0 or take(limit, step.answer.tat_us, step.now_us, cost).allowed


@given(
    limits,
    st.none() | st.integers(min_value=0, max_value=INT64_MAX),
    st.integers(min_value=0, max_value=4 * NOW_US),
    st.integers(min_value=1, max_value=300),
)
def test_from_any_state_the_answer_is_sane(
    limit: RateLimit, tat_us: int | None, now_us: int, cost: int
) -> None:
    answer = take(limit, tat_us, now_us, cost)

    assert 0 <= answer.remaining <= limit.count
    assert answer.allowed == (answer.retry_after_us == 0)
    assert answer.allowed or answer.tat_us == (tat_us or 0)
    assert answer.retry_after_us <= 2 * (limit.per_seconds * SECOND_US + limit.count)
