"""Many statements for one wait, on a real PostgreSQL: in order, and never half believed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError
from psycopg import errors

from audit.shapes import Change
from gateway_project import gateway
from gateway_project.postgresql import pipeline
from gateway_project.postgresql.session import OnPipeline, transaction
from tests import databases
from tests.servers import wait_until

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
DOUBLED = "SELECT %s::bigint * 2"
LARGE = "x" * 3_000_000  # more than a socket takes at once


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    with databases.database(postgres) as made:
        yield made


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as made:
        made.execute("CREATE TABLE note (id bigint PRIMARY KEY, text text)")
        yield made


def run(connection: psycopg.Connection, *statements: pipeline.Statement) -> list[object]:
    return [result.rows for result in pipeline.of(connection).run(statements)]


def notes(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT id, text FROM note ORDER BY id").fetchall()


def test_answers_come_in_the_order_of_the_questions(connection: psycopg.Connection) -> None:
    insert = "INSERT INTO note SELECT g, %s FROM generate_series(1, %s) g"
    results = pipeline.of(connection).run(
        [(DOUBLED, (4,)), (insert, ("a", 3)), (DOUBLED, (5,)), ("DELETE FROM note", ())]
    )

    assert [(result.rows, result.count) for result in results] == [
        ([(8,)], 1), ((), 3), ([(10,)], 1), ((), 3),
    ]  # fmt: skip


def test_types_come_back_as_they_are(connection: psycopg.Connection) -> None:
    asked = "SELECT %s::bytea, %s::text, %s::bigint, %s::bigint[], NULL::text"

    [rows] = run(connection, (asked, (b"\x00\xff", "a'b\\", -5, "{1,2}")))

    assert rows == [(b"\x00\xff", "a'b\\", -5, [1, 2], None)]


def test_after_one_that_fails_none_runs_and_its_error_is_told(
    connection: psycopg.Connection,
) -> None:
    one, again = (
        ("INSERT INTO note VALUES (1, %s)", ("a",)),
        ("INSERT INTO note VALUES (2, 'b')", ()),
    )
    with pytest.raises(pipeline.Failed) as failed:
        run(connection, ("BEGIN", ()), one, one, again)
    connection.rollback()

    assert isinstance(failed.value.error, errors.UniqueViolation)
    assert failed.value.at == 2

    assert notes(connection) == []
    run(connection, one, again)
    assert len(notes(connection)) == 2


def test_what_cannot_be_prepared_fails_alone_and_is_not_taken_for_prepared(
    connection: psycopg.Connection,
) -> None:
    for _ in range(2):
        with pytest.raises(pipeline.Failed, match='"nothing" does not exist'):
            run(connection, (DOUBLED, (1,)), ("SELECT * FROM nothing", ()), (DOUBLED, (2,)))
    connection.execute("CREATE TABLE nothing (id bigint)")

    assert run(connection, ("SELECT * FROM nothing", ()), (DOUBLED, (2,))) == [[], [(4,)]]


def test_much_goes_both_ways_at_once(connection: psycopg.Connection) -> None:
    echo = ("SELECT %s::text", (LARGE,))

    assert run(connection, *[echo] * 5) == [[(LARGE,)]] * 5


def test_a_value_that_no_text_may_have_is_refused_before_anything_is_sent(
    connection: psycopg.Connection,
) -> None:
    with pytest.raises(psycopg.DataError):
        run(connection, (DOUBLED, (1,)), ("SELECT %s::text", ("nul\x00",)))

    assert run(connection, (DOUBLED, (3,))) == [[(6,)]]


def test_a_server_that_ends_the_connection_is_an_error_and_not_a_wait(
    connection: psycopg.Connection, url: str
) -> None:
    run(connection, (DOUBLED, (1,)))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    with pytest.raises(psycopg.OperationalError):
        run(connection, (DOUBLED, (1,)), (DOUBLED, (2,)))
    assert connection.closed


def test_a_connection_that_ends_between_two_answers_is_an_error(
    connection: psycopg.Connection,
) -> None:
    end = ("SELECT pg_terminate_backend(pg_backend_pid())", ())

    with pytest.raises(psycopg.OperationalError):
        run(connection, (DOUBLED, (1,)), end, (DOUBLED, (2,)))
    assert connection.closed


def test_a_silence_is_bounded(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SILENCE_MILLISECONDS_MAX", 50)

    with pytest.raises(psycopg.OperationalError, match="said nothing"):
        run(connection, ("SELECT pg_sleep(30)", ()))
    assert connection.closed, "its answer would be the next one's"


def test_other_threads_run_while_one_waits(connection: psycopg.Connection, url: str) -> None:
    with psycopg.connect(url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(1)")
        waiting = threading.Thread(
            target=run, args=(connection, ("SELECT pg_advisory_xact_lock(1)", ())), daemon=True
        )
        waiting.start()
        wait_until(lambda: holder.execute(WAITING).fetchone() == (1,), 10)
    waiting.join(30)
    assert not waiting.is_alive(), "who holds the lock must be able to let it go"


def test_the_driver_may_use_the_connection_in_between(connection: psycopg.Connection) -> None:
    run(connection, ("INSERT INTO note VALUES (1, 'a')", ()))
    with connection.transaction():
        connection.execute("INSERT INTO note VALUES (2, 'b')")
    run(connection, ("INSERT INTO note VALUES (3, 'c')", ()))

    assert [row[0] for row in notes(connection)] == [1, 2, 3]


def test_a_session_that_a_pooler_has_changed_is_asked_again(
    connection: psycopg.Connection,
) -> None:
    run(connection, (DOUBLED, (1,)))
    connection.execute("DEALLOCATE ALL")

    with pytest.raises(pipeline.Failed) as failed:
        run(connection, (DOUBLED, (2,)))
    assert isinstance(failed.value.error, psycopg.OperationalError), "which is asked again"
    assert run(connection, (DOUBLED, (2,))) == [[(4,)]]


INSERT = Change("INSERT INTO note VALUES (1, 'a')", ())
MISSED = Change("DELETE FROM note WHERE id=%s", (7,), 1, RuntimeError("it moved"))
TOUCHED = Change("UPDATE note SET text=%s WHERE id=%s", ("b", 1), 1, RuntimeError("it moved"))


def test_what_is_told_is_committed(connection: psycopg.Connection) -> None:
    with transaction(connection) as session:
        assert session.ask(None, ("SELECT text FROM note", ())) == [(), []]
        session.tell([INSERT, TOUCHED])

    assert notes(connection) == [(1, "b")]


def test_a_change_that_touches_other_rows_than_it_must_is_taken_back_with_all_others(
    connection: psycopg.Connection,
) -> None:
    with (
        pytest.raises(RuntimeError, match="it moved"),
        transaction(connection) as session,
    ):
        session.tell([INSERT, MISSED, TOUCHED])

    assert notes(connection) == []
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ([INSERT, INSERT, TOUCHED], errors.UniqueViolation),
        ([Change("SELECT 1 / 0", ())], errors.DivisionByZero),
        ([Change("no statement", ())], errors.SyntaxError),
    ],
)
def test_another_error_of_a_change_is_its_own(
    connection: psycopg.Connection, told: list[Change], kind: type[Exception]
) -> None:
    with pytest.raises(kind), transaction(connection) as session:
        session.tell(told)

    assert notes(connection) == []


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", psycopg.OperationalError),
        ("SET plan_cache_mode = none_of_these", errors.InvalidParameterValue),
    ],
)
def test_a_connection_whose_settings_fail_is_not_taken_for_a_set_one(
    connection: psycopg.Connection,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    kind: type[Exception],
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "PLANS", [(setting, ())])
        with pytest.raises(kind), transaction(connection) as session:
            session.tell([INSERT])

    again = psycopg.connect(url, autocommit=True) if connection.closed else connection
    with again, transaction(again) as session:
        session.tell([INSERT])
        assert again.execute("SHOW plan_cache_mode").fetchone() == ("force_generic_plan",)
        assert notes(again) == [(1, "a")]


def test_a_beginning_that_fails_is_not_taken_for_the_last_change_that_was_told() -> None:
    class Breaking:
        def run(self, statements: Sequence[pipeline.Statement]) -> list[pipeline.Result]:
            assert statements[0] == ("BEGIN", ())
            raise pipeline.Failed(0, errors.DivisionByZero("of the connection, not of a change"))

    breaking: Any = Breaking()
    change = Change("UPDATE note SET text='b'", (), 1, LookupError("the note has moved"))

    with pytest.raises(pipeline.Failed):
        OnPipeline(breaking).tell([change])


@pytest.mark.parametrize("error", [InterfaceError("closed"), OperationalError("lost")])
def test_a_reader_closes_the_connection_that_it_lost(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(gateway, "connection", SimpleNamespace(close=lambda: closed.append(True)))

    def work() -> None:
        raise error

    with pytest.raises(type(error)):
        gateway._with_connection(work)
    assert closed == [True]


def test_a_transaction_that_is_told_nothing_is_taken_back(connection: psycopg.Connection) -> None:
    with transaction(connection) as session:
        session.ask((INSERT.text + " RETURNING id", ()))

    assert notes(connection) == []
