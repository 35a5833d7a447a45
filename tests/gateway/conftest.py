from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import servers


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Running]:
    """One gateway for the tests of a module."""
    started = servers.start(tmp_path_factory.mktemp("data"))
    yield started
    started.stop()
