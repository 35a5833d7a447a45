"""`manage.py serve`: the gateway on uvicorn, in one process or in several on one port."""

from __future__ import annotations

import fcntl
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from gateway_project import children
from gateway_project.children import Child
from gateway_project.serving import Protocol

WORKERS_MAX = 64


class Command(BaseCommand):
    help = "Serve the gateway on HOST and PORT. Several workers need PostgreSQL."
    requires_system_checks = ()  # they would load every page; `check` and `doctor` are for that

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=1)
        parser.add_argument("--share-port", action="store_true", help="with others of its kind")

    def handle(self, *args: Any, **options: Any) -> None:
        workers = options["workers"]
        if not 1 <= workers <= WORKERS_MAX:
            raise CommandError(f"--workers must be between 1 and {WORKERS_MAX}.")
        is_shared = options["share_port"]
        if connection.vendor == "sqlite" and (workers > 1 or is_shared):
            raise CommandError(
                "SQLite serves one gateway process; several need PostgreSQL (DATABASE_URL)."
            )
        if workers == 1:
            with _alone():
                serve(_listener(is_shared=is_shared))
            return
        _listener(is_shared=False).close()  # a port that others use must not be shared with them
        connection.close()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--share-port"]
        with children.family() as started:
            started += [Child(f"worker {number}", command) for number in range(1, workers + 1)]
            children.watch(started)


@contextmanager
def _alone() -> Iterator[None]:
    """Only one gateway may serve a SQLite file; the kernel frees the lock however it ends."""
    if connection.vendor != "sqlite":
        yield
        return
    path = settings.DATA / "gateway.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                "Another gateway serves this data folder, and SQLite serves one: end it, choose "
                "another TOLLGATE_DATA, or use PostgreSQL (DATABASE_URL)."
            ) from None
        yield


def _listener(*, is_shared: bool) -> socket.socket:
    """With SO_REUSEPORT the kernel spreads connections over all processes that listen."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.HOST, settings.PORT))
    except OSError as error:
        listener.close()
        raise CommandError(f"Cannot listen on {settings.HOST}:{settings.PORT}: {error}.") from None
    return listener


def serve(listener: socket.socket) -> None:
    """Serve connections of `listener` until a signal, then drain."""
    config = uvicorn.Config(
        "gateway_project.asgi:application",
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.DRAIN_SECONDS,
        ws_max_size=65_536,
    )
    connection.close()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    uvicorn.Server(config).run(sockets=[listener])
