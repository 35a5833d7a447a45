from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from budgets.models import Tenant
from gateway_project import administration
from tests import databases, people

hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One PostgreSQL server for the tests of a process."""
    with databases.server() as url:
        yield url


@pytest.fixture
def open_books(db: None) -> None:
    """An empty database of the test's own, with the system's chain open."""
    administration.open_system_log()


@pytest.fixture
def acme(open_books: None) -> Tenant:
    return people.tenant("acme", "Europe/Amsterdam")


@pytest.fixture
def globex(open_books: None) -> Tenant:
    """Somebody else's tenant."""
    return people.tenant("globex")
