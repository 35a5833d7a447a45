from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from tests import databases

hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One PostgreSQL server for the tests of a process."""
    with databases.server() as url:
        yield url
