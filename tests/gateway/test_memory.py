"""A writer that is alone asks the database for nothing twice; one that is not believes nobody.

The proofs run inside a real house, by `manage.py shell`: a test's own transaction would hide the
writer's, and no other connection could write beside it.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from django.db import DatabaseError, connection

from budgets.models import Tenant, Window
from budgets.operations import BudgetRefused, Expire, Granted, Settled, WindowKey
from gateway_project.ids import new_id
from gateway_project.sessions import OnSqlite
from gateway_project.writer import Writer
from tests import people
from tests.gateway.test_writer import (
    books_are_right,
    holds,
    money,
    reserve,
    run,
    settle,
    window_of,
)
from tests.servers import Running

Result = TypeVar("Result")
LIMIT_NANOS = 10_000
CALLS = 150


def elsewhere(work: Callable[[], Result]) -> Result:
    """What `work` returns on another connection."""
    found: list[Result] = []

    def worked() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=worked)
    thread.start()
    thread.join(60)
    return found[0]


@contextmanager
def statements() -> Iterator[list[str]]:
    """What SQLite is asked for meanwhile."""
    asked: list[str] = []
    connection.connection.set_trace_callback(asked.append)
    try:
        yield asked
    finally:
        connection.connection.set_trace_callback(None)


def free_after_a_call(writer: Writer, tenant: Tenant, window: WindowKey) -> int | None:
    [granted] = run(writer, reserve(tenant, window, new_id()))
    assert isinstance(granted, Granted), granted
    return granted.free_nanos


def rows_are_read_once_by_a_writer_that_is_alone(tenant: Tenant, window: WindowKey) -> None:
    writer, attempt = Writer(), new_id()
    run(writer, reserve(tenant, window, new_id()))
    run(writer, settle(new_id()), reserve(tenant, window, attempt))
    run(writer, settle(attempt))

    with statements() as asked:
        for _ in range(3):
            attempt = new_id()
            run(writer, reserve(tenant, window, attempt))
            run(writer, settle(attempt))

    assert len(asked) > 3 * 8
    assert not [each for each in asked if each.startswith("SELECT")]
    assert money(tenant) == [(240, 100)]
    assert books_are_right()


def what_another_writer_held_is_seen(tenant: Tenant, window: WindowKey) -> None:
    mine, another = Writer(), Writer()

    left = [free_after_a_call(mine, tenant, window) for _ in range(2)]
    left += [elsewhere(lambda: free_after_a_call(another, tenant, window)) for _ in range(2)]
    left += [free_after_a_call(mine, tenant, window) for _ in range(2)]

    assert left == [LIMIT_NANOS - 100 * call for call in range(1, 7)]
    assert money(tenant) == [(0, 600)]
    assert books_are_right()


def what_another_writer_settled_is_seen(tenant: Tenant, window: WindowKey) -> None:
    mine, attempt = Writer(), new_id()
    run(mine, reserve(tenant, window, attempt, 9_900))
    [refused] = run(mine, reserve(tenant, window, new_id(), 200))

    elsewhere(lambda: run(Writer(), settle(attempt, 1_000)))
    left = free_after_a_call(mine, tenant, window)

    assert isinstance(refused, BudgetRefused)
    assert left == LIMIT_NANOS - 1_000 - 100
    assert books_are_right()


def a_limit_that_an_admin_lowers_holds_at_once(tenant: Tenant, window: WindowKey) -> None:
    mine = Writer()
    free_after_a_call(mine, tenant, window)
    free_after_a_call(mine, tenant, window)

    elsewhere(lambda: windows_get_the_limit(tenant, 250))
    [refused] = run(mine, reserve(tenant, window, new_id()))

    assert isinstance(refused, BudgetRefused)
    assert (refused.limit_nanos, refused.held_nanos) == (250, 200)


def what_its_own_connection_wrote_beside_it_is_seen(tenant: Tenant, window: WindowKey) -> None:
    mine = Writer()
    free_after_a_call(mine, tenant, window)
    free_after_a_call(mine, tenant, window)

    windows_get_the_limit(tenant, 250)
    [refused] = run(mine, reserve(tenant, window, new_id()))

    assert isinstance(refused, BudgetRefused)


def a_transaction_that_failed_is_forgotten(tenant: Tenant, window: WindowKey) -> None:
    mine = Writer()
    nothing: Any = None  # which the table refuses
    impossible = replace(reserve(tenant, window, new_id()), provider=nothing)
    free_after_a_call(mine, tenant, window)
    free_after_a_call(mine, tenant, window)

    with pytest.raises(DatabaseError):
        run(mine, reserve(tenant, window, new_id()), impossible)

    assert free_after_a_call(mine, tenant, window) == LIMIT_NANOS - 300
    assert money(tenant) == [(0, 300)]
    assert books_are_right()


def a_hold_that_moved_leaves_nothing_wrong_behind(tenant: Tenant, window: WindowKey) -> None:
    mine, attempts = Writer(), [new_id() for _ in range(3)]
    run(mine, *[reserve(tenant, window, attempt) for attempt in attempts])
    elsewhere(lambda: run(Writer(), Expire(attempts[1])))

    answers = run(mine, *[settle(attempt) for attempt in attempts])

    assert all(isinstance(answer, Settled) for answer in answers)
    assert free_after_a_call(mine, tenant, window) == LIMIT_NANOS - 180 - 100
    assert books_are_right()


def a_new_connection_is_no_reason_to_believe(tenant: Tenant, window: WindowKey) -> None:
    mine = Writer()
    free_after_a_call(mine, tenant, window)
    elsewhere(lambda: free_after_a_call(Writer(), tenant, window))
    free_after_a_call(mine, tenant, window)
    connection.close()
    elsewhere(lambda: free_after_a_call(Writer(), tenant, window))

    assert free_after_a_call(mine, tenant, window) == LIMIT_NANOS - 500
    assert books_are_right()


def many_writers_at_once_never_overspend(tenant: Tenant, window: WindowKey) -> None:
    """Each on a connection of its own, asking for three times of what there is."""
    failed: list[BaseException] = []

    def calls(seed: int) -> None:
        chance, writer, mine = random.Random(seed), Writer(), list[str]()
        try:
            for _ in range(CALLS):
                attempt = new_id()
                [answer] = run(writer, reserve(tenant, window, attempt, chance.randint(50, 90)))
                mine += [attempt] if isinstance(answer, Granted) else []
                if mine and chance.random() < 0.7:
                    run(writer, settle(mine.pop(), chance.randint(10, 50)))
            for attempt in mine:
                run(writer, settle(attempt, 10))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=calls, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert not failed, failed
    [(spent, held)] = money(tenant)
    assert LIMIT_NANOS * 0.9 < spent <= LIMIT_NANOS
    assert (held, holds(tenant).count()) == (0, 0)
    assert Window.objects.get(budget__tenant=tenant).over_nanos == 0
    assert books_are_right()


def windows_get_the_limit(tenant: Tenant, nanos: int) -> int:
    return Window.objects.filter(budget__tenant=tenant).update(limit_nanos=nanos)


ON_BOTH = (
    what_another_writer_held_is_seen,
    what_another_writer_settled_is_seen,
    a_limit_that_an_admin_lowers_holds_at_once,
    what_its_own_connection_wrote_beside_it_is_seen,
    a_transaction_that_failed_is_forgotten,
    a_hold_that_moved_leaves_nothing_wrong_behind,
    a_new_connection_is_no_reason_to_believe,
    many_writers_at_once_never_overspend,
)


def prove(*names: str) -> None:
    """Inside a house: each proof with a tenant of its own; prints their names as they pass."""
    for name in names:
        tenant = people.tenant(name)
        globals()[name](tenant, window_of(tenant))
        print(name, flush=True)


def proven(house: Running, *names: str) -> list[str]:
    command = f"from tests.gateway import test_memory; test_memory.prove(*{names!r})"
    return house.manage("shell", "-v", "0", "-c", command).split()


@pytest.mark.parametrize("name", [each.__name__ for each in ON_BOTH])
def test_a_writer_never_believes_what_it_remembers_against_the_database(
    house: Running, name: str
) -> None:
    assert proven(house, name) == [name]


def test_what_two_connections_say_of_a_database_is_never_taken_for_the_same() -> None:
    one, another = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")

    marks = [OnSqlite(each.cursor()).mark() for each in (one, one, another)]

    assert marks[0] == marks[1] != marks[2]
    assert marks[1][1:] == marks[2][1:]


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_writer_that_is_alone_reads_its_rows_once(house: Running) -> None:
    name = rows_are_read_once_by_a_writer_that_is_alone.__name__

    assert proven(house, name) == [name]
