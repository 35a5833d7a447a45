"""What a writer remembers is never believed against the database."""

from __future__ import annotations

import pytest
from django.db import connection

from audit import log as audit_log
from budgets import drift
from budgets.models import Budget, Hold, Posting, Tenant, Window
from budgets.operations import (
    AlreadySettled,
    Answer,
    Expire,
    Granted,
    Operation,
    Reserve,
    Settle,
    Settled,
    Tokens,
    WindowKey,
)
from gateway_project.ids import new_id
from gateway_project.writer import Writer, now_us

DAY_US = 86_400_000_000


@pytest.fixture
def window(acme: Tenant) -> WindowKey:
    budget = Budget.objects.create(tenant=acme, scope="tenant", period="day", limit_nanos=10_000)
    with connection.cursor() as cursor:
        now = now_us(cursor)
    return WindowKey(budget.id, "", now - DAY_US, now + DAY_US, "tenant acme (daily budget)")


def reserve(tenant: Tenant, window: WindowKey, attempt: str, nanos: int = 100) -> Reserve:
    return Reserve(
        attempt=attempt,
        call=attempt,
        call_no=1,
        tenant_id=tenant.id,
        key_id=9,
        zone="UTC",
        windows=(window,),
        rate=None,
        base_nanos=nanos,
        output_pico_per_token=0,
        output_tokens=10,
        output_tokens_max=4096,
        answers=1,
        provider="p",
        model="m",
        price_id=1,
        owner=1,
        seconds_max=600,
        directory_version=2**62,
    )


def settle(attempt: str, nanos: int = 60) -> Settle:
    return Settle(attempt, Tokens(10, 5), nanos, "provider_usage", "ok")


def run(writer: Writer, *operations: Operation, is_again: bool = False) -> list[Answer]:
    return writer.transact(operations, (), is_again=is_again)


def books_are_right() -> bool:
    return audit_log.verify(connection).is_intact and not drift.find()


def money() -> list[tuple[int, int]]:
    return [(w.spent_nanos, w.held_nanos) for w in Window.objects.all()]


def test_a_call_is_held_and_settled_by_one_writer(acme: Tenant, window: WindowKey) -> None:
    writer, attempt = Writer(), new_id()

    [granted] = run(writer, reserve(acme, window, attempt))
    [settled] = run(writer, settle(attempt))

    assert isinstance(granted, Granted)
    assert granted.free_nanos == 9_900
    assert isinstance(settled, Settled)
    assert money() == [(60, 0)]
    assert not Hold.objects.exists()
    assert books_are_right()


def test_a_hold_that_another_process_expired_is_corrected_and_not_freed_twice(
    acme: Tenant, window: WindowKey
) -> None:
    mine, another, attempt = Writer(), Writer(), new_id()
    run(mine, reserve(acme, window, attempt))

    [expired] = run(another, Expire(attempt))
    [settled] = run(mine, settle(attempt))

    assert isinstance(expired, Settled)
    assert isinstance(settled, Settled)
    assert [(p.no, p.debit_nanos, p.credit_nanos) for p in Posting.objects.order_by("no")] == [
        (0, 100, 0),
        (1, 0, 40),
    ]
    assert money() == [(60, 0)]
    assert books_are_right()


def test_one_hold_that_moved_does_not_disturb_the_others_of_its_batch(
    acme: Tenant, window: WindowKey
) -> None:
    mine, another = Writer(), Writer()
    attempts = [new_id() for _ in range(5)]
    run(mine, *[reserve(acme, window, attempt) for attempt in attempts])
    run(another, Expire(attempts[2]))

    answers = run(mine, *[settle(attempt) for attempt in attempts])

    assert all(isinstance(answer, Settled) for answer in answers)
    assert money() == [(300, 0)]
    assert Posting.objects.count() == 6
    assert books_are_right()


def test_a_batch_that_may_have_been_committed_is_harmless_the_second_time(
    acme: Tenant, window: WindowKey
) -> None:
    writer, first, second = Writer(), new_id(), new_id()
    run(writer, reserve(acme, window, first))
    batch = (settle(first), reserve(acme, window, second))
    run(writer, *batch)

    answers = run(writer, *batch, is_again=True)

    assert isinstance(answers[0], AlreadySettled)
    assert isinstance(answers[1], Granted)
    assert money() == [(60, 100)]
    assert Posting.objects.count() == 1
    assert Hold.objects.count() == 1
    assert books_are_right()


def test_a_writer_that_knows_nothing_settles_what_another_one_holds(
    acme: Tenant, window: WindowKey
) -> None:
    attempt = new_id()
    run(Writer(), reserve(acme, window, attempt))

    [settled] = run(Writer(), settle(attempt))

    assert isinstance(settled, Settled)
    assert money() == [(60, 0)]
    assert books_are_right()


def test_more_rows_than_one_statement_takes_are_all_written(
    acme: Tenant, window: WindowKey
) -> None:
    writer = Writer()
    attempts = [new_id() for _ in range(75)]

    run(writer, *[reserve(acme, window, attempt, nanos=10) for attempt in attempts])
    run(writer, *[settle(attempt, nanos=7) for attempt in attempts])

    assert money() == [(525, 0)]
    assert Posting.objects.count() == 75
    assert books_are_right()
