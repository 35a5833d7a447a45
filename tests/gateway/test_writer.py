"""What a writer remembers is never believed against the database."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import QuerySet

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
from tests import people
from tests.servers import Running

DAY_US = 86_400_000_000


@pytest.fixture
def window(acme: Tenant) -> WindowKey:
    return window_of(acme)


def window_of(tenant: Tenant) -> WindowKey:
    budget = Budget.objects.create(tenant=tenant, scope="tenant", period="day", limit_nanos=10_000)
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


def money(tenant: Tenant) -> list[tuple[int, int]]:
    windows = Window.objects.filter(budget__tenant=tenant)
    return [(w.spent_nanos, w.held_nanos) for w in windows]


def postings(tenant: Tenant) -> QuerySet[Posting]:
    return Posting.objects.filter(tenant_id=tenant.id).order_by("seq")


def holds(tenant: Tenant) -> QuerySet[Hold]:
    return Hold.objects.filter(tenant_id=tenant.id)


def test_a_call_is_held_and_settled_by_one_writer(acme: Tenant, window: WindowKey) -> None:
    writer, attempt = Writer(), new_id()

    [granted] = run(writer, reserve(acme, window, attempt))
    [settled] = run(writer, settle(attempt))

    assert isinstance(granted, Granted)
    assert granted.free_nanos == 9_900
    assert isinstance(settled, Settled)
    assert money(acme) == [(60, 0)]
    assert not holds(acme).exists()
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
    assert [(p.no, p.debit_nanos, p.credit_nanos) for p in postings(acme)] == [
        (0, 100, 0),
        (1, 0, 40),
    ]
    assert money(acme) == [(60, 0)]
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
    assert money(acme) == [(300, 0)]
    assert postings(acme).count() == 6
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
    assert money(acme) == [(60, 100)]
    assert postings(acme).count() == 1
    assert holds(acme).count() == 1
    assert books_are_right()


def test_a_writer_that_knows_nothing_settles_what_another_one_holds(
    acme: Tenant, window: WindowKey
) -> None:
    attempt = new_id()
    run(Writer(), reserve(acme, window, attempt))

    [settled] = run(Writer(), settle(attempt))

    assert isinstance(settled, Settled)
    assert money(acme) == [(60, 0)]
    assert books_are_right()


def test_more_rows_than_one_statement_takes_are_all_written(
    acme: Tenant, window: WindowKey
) -> None:
    writer = Writer()
    attempts = [new_id() for _ in range(75)]

    run(writer, *[reserve(acme, window, attempt, nanos=10) for attempt in attempts])
    run(writer, *[settle(attempt, nanos=7) for attempt in attempts])

    assert money(acme) == [(525, 0)]
    assert postings(acme).count() == 75
    assert books_are_right()


def outside() -> None:
    """All of the above by themselves, each with a tenant of its own; prints how many."""
    tests = [each for name, each in globals().items() if name.startswith("test_")]
    of_writers = [each for each in tests if "window" in each.__annotations__]
    for test in of_writers:
        tenant = people.tenant(test.__name__)
        test(tenant, window_of(tenant))
    print(len(of_writers))


def test_all_of_it_holds_where_no_test_has_a_transaction_around_it(house: Running) -> None:
    """Django's own transactions hide the ones that the writer makes: here are none."""
    command = "from tests.gateway import test_writer; test_writer.outside()"

    assert house.manage("shell", "-v", "0", "-c", command) == "6"
