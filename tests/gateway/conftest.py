from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import databases, servers


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Running]:
    """One gateway process on SQLite, for the tests of a module."""
    started = servers.start(tmp_path_factory.mktemp("data"))
    yield started
    started.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Running]:
    """A gateway in each of its two shapes: one process on SQLite, two on PostgreSQL."""
    data = tmp_path_factory.mktemp("data")
    if request.param == "sqlite":
        started = servers.start(data)
        yield started
        started.stop()
        return
    with databases.database(request.getfixturevalue("postgres")) as url:
        started = servers.start(data, workers=2, DATABASE_URL=url)
        yield started
        started.stop()
