"""The money: who fits under which limit, and what each attempt costs. Pure; no database here.

`decide(state, operations, now_us)` is the whole money logic. It reads rows that its caller has
locked and answers every operation in order, later ones seeing what earlier ones did:

| operation | answers | does |
|---|---|---|
| Reserve | Granted, RateRefused, BudgetRefused, WindowPassed | holds an upper bound |
| Settle | Settled, AlreadySettled, UnknownAttempt | frees the hold, books the cost |
| Expire | Settled, AlreadySettled, UnknownAttempt | books the whole hold of a lost attempt |

Always: after each Reserve, spent + held <= limit in every window it touched. A Settle that costs
more than its hold is booked in full, and the excess stands in the window's `over_nanos`.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import limits, periods
from .operations import (
    AlreadySettled,
    Answer,
    BudgetRefused,
    Expire,
    Granted,
    Hold,
    Operation,
    Outcome,
    Posted,
    Posting,
    RateRefused,
    Reserve,
    Settle,
    Settled,
    Stale,
    State,
    Tokens,
    UnknownAttempt,
    Window,
    WindowPassed,
)

OUTPUT_TOKENS_MIN = 256


def decide(state: State, operations: Sequence[Operation], now_us: int) -> Outcome:
    """Answer each operation and say what to write. Safe to run again: ids make it idempotent."""
    outcome = Outcome()
    for operation in operations:
        match operation:
            case Reserve():
                answer = _reserve(state, outcome, operation, now_us)
            case Settle():
                answer = _settle(state, outcome, operation, now_us)
            case Expire():
                answer = _expire(state, outcome, operation, now_us)
        outcome.answers.append(answer)
    return outcome


def _reserve(state: State, outcome: Outcome, ask: Reserve, now_us: int) -> Answer:
    known = state.holds.get(ask.attempt)
    if known is not None:  # the same batch again after an unanswered COMMIT
        return Granted(ask.attempt, known.amount_nanos, _tokens_in(ask, known), now_us)
    if ask.directory_version < state.directory_version:
        return Stale(state.directory_version)
    for key in ask.windows:
        if not key.starts_us <= now_us < key.ends_us:
            return WindowPassed(now_us)
    rate = _take_rate(state, outcome, ask, now_us)
    if rate is not None and not rate.allowed:
        assert ask.rate is not None
        return RateRefused(ask.rate, rate.retry_after_us)
    windows = [state.windows[key] for key in ask.windows]
    output_tokens = _output_tokens(ask, windows)
    amount = ask.amount(output_tokens)
    free = min([window.free_nanos for window in windows], default=None)
    if free is not None:
        if free < amount:
            return _refusal(ask, windows, amount, now_us)
        free -= amount
    for window in windows:
        window.held_nanos += amount
        outcome.windows[window.id] = window
    _hold(state, outcome, ask, amount, tuple([window.id for window in windows]), now_us)
    return Granted(ask.attempt, amount, output_tokens, now_us, rate, free)


def _take_rate(
    state: State, outcome: Outcome, ask: Reserve, now_us: int
) -> limits.RateAnswer | None:
    if ask.rate is None:
        return None
    answer = limits.take(ask.rate, state.rates.get(ask.key_id), now_us)
    if answer.allowed:
        state.rates[ask.key_id] = outcome.rates[ask.key_id] = answer.tat_us
    return answer


def _output_tokens(ask: Reserve, windows: Sequence[Window]) -> int:
    """The caller's own cap, unchanged; else the most that fits, but never less than the least."""
    if ask.output_tokens is not None:
        return ask.output_tokens
    most = ask.output_tokens_max * ask.answers
    if windows and ask.output_pico_per_token:
        free = min(window.free_nanos for window in windows) - ask.base_nanos
        most = min(most, free * 1000 // ask.output_pico_per_token)
    each = max(most // ask.answers, min(OUTPUT_TOKENS_MIN, ask.output_tokens_max))
    return each * ask.answers


def _tokens_in(ask: Reserve, hold: Hold) -> int:
    if ask.output_tokens is not None:
        return ask.output_tokens
    most = ask.output_tokens_max * ask.answers
    if not ask.output_pico_per_token:
        return most
    return min(most, (hold.amount_nanos - ask.base_nanos) * 1000 // ask.output_pico_per_token)


def _refusal(ask: Reserve, windows: Sequence[Window], amount: int, now_us: int) -> BudgetRefused:
    key, window = max(
        (
            (key, window)
            for key, window in zip(ask.windows, windows, strict=True)
            if window.free_nanos < amount
        ),
        key=lambda pair: pair[1].ends_us,
    )
    return BudgetRefused(
        scope=key.scope,
        subject=key.subject,
        needed_nanos=amount,
        spent_nanos=window.spent_nanos,
        held_nanos=window.held_nanos,
        limit_nanos=window.limit_nanos,
        resets_us=window.ends_us,
        now_us=now_us,
    )


def _hold(
    state: State,
    outcome: Outcome,
    ask: Reserve,
    amount: int,
    window_ids: tuple[int, ...],
    now_us: int,
) -> None:
    hold = Hold(
        attempt=ask.attempt,
        call=ask.call,
        call_no=ask.call_no,
        tenant_id=ask.tenant_id,
        key_id=ask.key_id,
        amount_nanos=amount,
        window_ids=window_ids,
        provider=ask.provider,
        model=ask.model,
        price_id=ask.price_id,
        owner=ask.owner,
        day_utc=periods.utc_day(now_us),
        day_local=periods.local_day(ask.zone, now_us),
        opened_us=now_us,
        deadline_us=now_us + ask.seconds_max * 1_000_000,
        user=ask.user,
        tags=ask.tags,
    )
    state.holds[hold.attempt] = outcome.holds_made[hold.attempt] = hold


def _settle(state: State, outcome: Outcome, ask: Settle, now_us: int) -> Answer:
    hold = state.holds.get(ask.attempt)
    if hold is not None:
        posting = Posting(
            hold, 0, ask.basis, ask.outcome, ask.tokens, ask.cost_nanos, 0, ask.upper_nanos, now_us
        )
        return _close(state, outcome, hold, posting)
    posted = state.posted.get(ask.attempt)
    if posted is None:
        return UnknownAttempt(ask.attempt)
    if posted.last.basis != "upper_bound":
        return AlreadySettled(ask.attempt)
    return _correct(state, outcome, posted, ask, now_us)


def _expire(state: State, outcome: Outcome, ask: Expire, now_us: int) -> Answer:
    hold = state.holds.get(ask.attempt)
    if hold is not None:
        amount = hold.amount_nanos
        posting = Posting(hold, 0, "upper_bound", "expired", Tokens(), amount, 0, amount, now_us)
        return _close(state, outcome, hold, posting)
    known = ask.attempt in state.posted
    return AlreadySettled(ask.attempt) if known else UnknownAttempt(ask.attempt)


def _close(state: State, outcome: Outcome, hold: Hold, posting: Posting) -> Settled:
    """Free the hold and spend the cost, in every window that the hold was taken from."""
    del state.holds[hold.attempt]
    if outcome.holds_made.pop(hold.attempt, None) is None:
        outcome.holds_gone.append(hold.attempt)
    for window_id in hold.window_ids:
        window = state.windows_by_id[window_id]
        window.held_nanos -= hold.amount_nanos
        _book(outcome, window, posting.debit_nanos)
    state.posted[hold.attempt] = Posted(posting, posting.debit_nanos)
    outcome.postings.append(posting)
    return Settled(posting)


def _correct(state: State, outcome: Outcome, posted: Posted, ask: Settle, now_us: int) -> Settled:
    """A provisional bill becomes exact by a further posting; nothing is ever overwritten."""
    change = ask.cost_nanos - posted.net_nanos
    posting = Posting(
        hold=posted.last.hold,
        no=posted.last.no + 1,
        basis=ask.basis,
        outcome=ask.outcome,
        tokens=ask.tokens,
        debit_nanos=max(change, 0),
        credit_nanos=max(-change, 0),
        upper_nanos=ask.upper_nanos,
        posted_us=now_us,
    )
    for window_id in posting.hold.window_ids:
        _book(outcome, state.windows_by_id[window_id], change)
    state.posted[ask.attempt] = Posted(posting, ask.cost_nanos)
    outcome.postings.append(posting)
    return Settled(posting)


def _book(outcome: Outcome, window: Window, amount: int) -> None:
    """What is settled is owed, also above the limit: the excess is recorded beside it."""
    window.spent_nanos += amount
    excess = window.held_nanos + window.spent_nanos - window.limit_nanos
    window.over_nanos = excess if excess > 0 else 0
    outcome.windows[window.id] = window
