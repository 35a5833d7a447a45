"""decide(): whatever comes in whatever order, no window is overspent and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budgets.ledger import OUTPUT_TOKENS_MIN, decide
from budgets.limits import RateLimit
from budgets.operations import (
    AlreadySettled,
    BudgetRefused,
    Expire,
    Granted,
    Operation,
    RateRefused,
    Reserve,
    Settle,
    Settled,
    Stale,
    State,
    Tokens,
    UnknownAttempt,
    Window,
    WindowKey,
    WindowPassed,
)

NOW = 1_700_000_000_000_000
DAY_US = 86_400_000_000
TENANT = WindowKey(1, "", NOW - 1, NOW + DAY_US, "tenant t (daily budget)")
KEY = WindowKey(2, "9", NOW - 1, NOW + 30 * DAY_US, "key k (monthly budget)")


def a_state(tenant_limit: int = 1_000, key_limit: int = 1_000) -> State:
    windows = {
        TENANT: Window(1, TENANT.starts_us, TENANT.ends_us, tenant_limit, 0, 0, 0),
        KEY: Window(2, KEY.starts_us, KEY.ends_us, key_limit, 0, 0, 0),
    }
    return State(windows=windows, windows_by_id={w.id: w for w in windows.values()})


def a_reserve(attempt: str = "a", **changes: object) -> Reserve:
    base = Reserve(
        attempt=attempt,
        call=attempt,
        call_no=1,
        tenant_id=1,
        key_id=9,
        zone="UTC",
        windows=(TENANT, KEY),
        rate=None,
        base_nanos=100,
        output_pico_per_token=0,
        output_tokens=10,
        output_tokens_max=4096,
        answers=1,
        provider="p",
        model="m",
        price_id=1,
        owner=1,
        seconds_max=600,
        directory_version=0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def a_settle(attempt: str = "a", cost: int = 60, basis: str = "provider_usage") -> Settle:
    return Settle(attempt, Tokens(10, 5), cost, basis, "ok")


def money(state: State) -> list[tuple[int, int, int]]:
    return [(w.spent_nanos, w.held_nanos, w.over_nanos) for w in state.windows_by_id.values()]


def test_a_reserve_holds_in_every_window_and_a_settle_turns_the_hold_into_spend() -> None:
    state = a_state()

    [granted] = decide(state, [a_reserve()], NOW).answers
    assert granted == Granted("a", 100, 10, NOW)
    assert money(state) == [(0, 100, 0), (0, 100, 0)]

    [settled] = decide(state, [a_settle()], NOW).answers
    assert isinstance(settled, Settled)
    assert money(state) == [(60, 0, 0), (60, 0, 0)]


def test_what_does_not_fit_is_refused_with_the_window_that_opens_last() -> None:
    state = a_state(tenant_limit=50, key_limit=60)

    [refused] = decide(state, [a_reserve()], NOW).answers

    assert refused == BudgetRefused(
        scope=KEY.scope,
        subject="9",
        needed_nanos=100,
        spent_nanos=0,
        held_nanos=0,
        limit_nanos=60,
        resets_us=KEY.ends_us,
        now_us=NOW,
    )
    assert money(state) == [(0, 0, 0), (0, 0, 0)]


def test_a_refused_budget_does_not_hold_in_the_window_that_had_room() -> None:
    state = a_state(tenant_limit=1_000, key_limit=50)

    decide(state, [a_reserve()], NOW)

    assert money(state) == [(0, 0, 0), (0, 0, 0)]


def test_forty_of_three_hundred_fit_a_limit_for_forty() -> None:
    state = a_state(tenant_limit=4_000, key_limit=10**9)

    answers = decide(state, [a_reserve(str(at)) for at in range(300)], NOW).answers

    assert sum(isinstance(answer, Granted) for answer in answers) == 40
    assert all(isinstance(answer, BudgetRefused) for answer in answers[40:])


def test_the_same_batch_again_changes_nothing() -> None:
    state = a_state()
    first = decide(state, [a_reserve()], NOW)
    before = money(state)

    again = decide(state, [a_reserve()], NOW)

    assert again.answers == first.answers
    assert not again.holds_made
    assert money(state) == before


def test_a_second_bill_is_not_booked() -> None:
    state = a_state()
    decide(state, [a_reserve(), a_settle()], NOW)

    assert decide(state, [a_settle(cost=999)], NOW).answers == [AlreadySettled("a")]
    assert money(state)[0] == (60, 0, 0)


def test_an_unknown_attempt_is_named_and_changes_nothing() -> None:
    state = a_state()

    assert decide(state, [a_settle(), Expire("a")], NOW).answers == [
        UnknownAttempt("a"),
        UnknownAttempt("a"),
    ]
    assert money(state) == [(0, 0, 0), (0, 0, 0)]


def test_an_expired_attempt_costs_its_hold_until_its_true_bill_comes() -> None:
    state = a_state()
    decide(state, [a_reserve(), Expire("a")], NOW)
    assert money(state)[0] == (100, 0, 0)

    outcome = decide(state, [a_settle(cost=60)], NOW)

    [posting] = outcome.postings
    assert (posting.no, posting.debit_nanos, posting.credit_nanos) == (1, 0, 40)
    assert money(state)[0] == (60, 0, 0)
    assert decide(state, [a_settle(cost=70)], NOW).answers == [AlreadySettled("a")]


def test_a_bill_above_its_hold_is_booked_in_full_and_the_excess_recorded() -> None:
    state = a_state(tenant_limit=100, key_limit=1_000)
    decide(state, [a_reserve(), a_settle(cost=150)], NOW)

    assert money(state) == [(150, 0, 50), (150, 0, 0)]
    assert isinstance(decide(state, [a_reserve("b", base_nanos=1)], NOW).answers[0], BudgetRefused)


def test_a_window_that_has_passed_asks_for_the_next_one() -> None:
    assert decide(a_state(), [a_reserve()], TENANT.ends_us).answers == [
        WindowPassed(TENANT.ends_us)
    ]


def test_an_old_view_of_the_limits_is_sent_back() -> None:
    state = a_state()
    state.directory_version = 5

    assert decide(state, [a_reserve(directory_version=4)], NOW).answers == [Stale(5)]


def test_a_rate_is_taken_only_where_it_allows() -> None:
    state = a_state(tenant_limit=10**9, key_limit=10**9)
    asks = [a_reserve(str(at), rate=RateLimit(3)) for at in range(5)]

    answers = decide(state, asks, NOW).answers

    assert [type(answer) for answer in answers] == [Granted] * 3 + [RateRefused] * 2


def test_without_a_cap_the_ledger_gives_what_the_poorest_window_affords() -> None:
    state = a_state(tenant_limit=1_000, key_limit=700)
    ask = a_reserve(output_tokens=None, output_pico_per_token=1_000, output_tokens_max=4_096)

    [granted] = decide(state, [ask], NOW).answers

    assert isinstance(granted, Granted)
    assert (granted.output_tokens, granted.amount_nanos) == (600, 700)


def test_without_a_cap_a_call_is_refused_rather_than_cut_below_the_least() -> None:
    state = a_state(tenant_limit=100 + OUTPUT_TOKENS_MIN - 1)
    ask = a_reserve(output_tokens=None, output_pico_per_token=1_000, output_tokens_max=4_096)

    [refused] = decide(state, [ask], NOW).answers

    assert isinstance(refused, BudgetRefused)
    assert refused.needed_nanos == 100 + OUTPUT_TOKENS_MIN


def test_the_callers_own_cap_is_never_lowered() -> None:
    state = a_state(tenant_limit=1_000)
    ask = a_reserve(output_tokens=2_000, output_pico_per_token=1_000)

    assert isinstance(decide(state, [ask], NOW).answers[0], BudgetRefused)


OPERATIONS = st.lists(
    st.one_of(
        st.builds(
            a_reserve,
            st.sampled_from("abcdefgh"),
            base_nanos=st.integers(0, 400),
            output_pico_per_token=st.integers(0, 3_000),
            output_tokens=st.none() | st.integers(1, 300),
            answers=st.just(1),
            windows=st.sampled_from([(TENANT,), (KEY,), (TENANT, KEY), ()]),
        ),
        st.builds(
            a_settle,
            st.sampled_from("abcdefgh"),
            st.integers(0, 900),
            st.sampled_from(["provider_usage", "counted", "uncertain", "none"]),
        ),
        st.builds(Expire, st.sampled_from("abcdefgh")),
    ),
    max_size=40,
)


@settings(max_examples=600)
@given(OPERATIONS, st.integers(0, 2_000), st.integers(0, 2_000), st.integers(1, 8))
def test_whatever_happens_no_hold_overspends_and_no_money_is_lost(
    operations: list[Operation], tenant_limit: int, key_limit: int, batch: int
) -> None:
    state = a_state(tenant_limit, key_limit)
    spent = {1: 0, 2: 0}
    for start in range(0, len(operations), batch):
        for operation in operations[start : start + batch]:
            before = dict(state.windows_by_id)
            outcome = decide(state, [operation], NOW)
            if isinstance(outcome.answers[0], Granted) and outcome.holds_made:
                for number in outcome.holds_made[operation.attempt].window_ids:
                    window = state.windows_by_id[number]
                    assert window.spent_nanos + window.held_nanos <= window.limit_nanos
            elif not outcome.postings:
                assert state.windows_by_id == before
            for posting in outcome.postings:
                for number in posting.hold.window_ids:
                    spent[number] += posting.debit_nanos - posting.credit_nanos
    for number, window in state.windows_by_id.items():
        held = sum(h.amount_nanos for h in state.holds.values() if number in h.window_ids)
        assert (window.spent_nanos, window.held_nanos) == (spent[number], held)
        assert window.spent_nanos + window.held_nanos <= window.limit_nanos + window.over_nanos


@settings(max_examples=300)
@given(OPERATIONS)
def test_one_batch_and_many_come_to_the_same(operations: list[Operation]) -> None:
    together, apart = a_state(), a_state()

    answers = decide(together, operations, NOW).answers

    assert answers == [decide(apart, [operation], NOW).answers[0] for operation in operations]
    assert money(together) == money(apart)


@pytest.mark.parametrize("answers", [1, 3])
def test_a_cap_chosen_by_the_ledger_is_shared_evenly_by_the_answers(answers: int) -> None:
    state = a_state(tenant_limit=10_000, key_limit=10_000)
    ask = a_reserve(
        output_tokens=None, output_pico_per_token=1_000, output_tokens_max=1_000, answers=answers
    )

    [granted] = decide(state, [ask], NOW).answers

    assert isinstance(granted, Granted)
    assert granted.output_tokens == 1_000 * answers
