"""The books' own transactions on SQLite: whole or not at all, and the gate shut after each."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError

from gateway_project.sqlite.base import DatabaseWrapper


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "books.sqlite3"


@pytest.fixture
def connection(file: Path, django_db_blocker: pytest.FixtureRequest) -> Iterator[DatabaseWrapper]:
    options = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"}
    row = {**settings.DATABASES["default"], "NAME": str(file), "OPTIONS": options}
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        made = DatabaseWrapper(row, "books")
        with made.writing() as cursor:
            cursor.execute("CREATE TABLE line (text TEXT UNIQUE)")
        yield made
        made.close()


def lines(connection: DatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM line ORDER BY text")
        return [row[0] for row in cursor.fetchall()]


def is_shut(file: Path) -> bool:
    """Can somebody else take the gate's lock now?"""
    with Path(f"{file}.gate").open("r+b") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_what_is_written_is_there_afterwards(connection: DatabaseWrapper, file: Path) -> None:
    with connection.writing() as cursor:
        cursor.execute("INSERT INTO line VALUES ('a'), ('b')")
        assert not is_shut(file)
    assert lines(connection) == ["a", "b"]
    assert is_shut(file)


@pytest.mark.parametrize("statement", ["INSERT INTO line VALUES ('a')", "INSERT INTO nowhere"])
def test_a_failure_takes_all_of_it_back(
    connection: DatabaseWrapper, file: Path, statement: str
) -> None:
    with pytest.raises(DatabaseError), connection.writing() as cursor:
        cursor.execute("INSERT INTO line VALUES ('a')")
        cursor.execute(statement)
    assert lines(connection) == []
    assert is_shut(file)
    with connection.writing() as cursor:
        cursor.execute("INSERT INTO line VALUES ('c')")
    assert lines(connection) == ["c"]


def test_a_gate_that_stays_shut_is_a_database_that_is_away(
    connection: DatabaseWrapper, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_project.sqlite.gate.WAIT_SECONDS", 0.01)
    with Path(f"{file}.gate").open("r+b") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        with pytest.raises(OperationalError, match="locked"), connection.writing():
            pass
    assert lines(connection) == []
