from __future__ import annotations

import pytest

from budgets.models import Tenant
from gateway_project import administration
from tests import people


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test here has a database of its own, with the system's chain open."""
    administration.open_system_log()


@pytest.fixture
def acme() -> Tenant:
    return people.tenant("acme", "Europe/Amsterdam")


@pytest.fixture
def globex() -> Tenant:
    """Somebody else's tenant."""
    return people.tenant("globex")
