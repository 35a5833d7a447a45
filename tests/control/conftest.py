from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _database(open_books: None) -> None:
    """Every test here has a database of its own."""
