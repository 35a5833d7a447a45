"""`manage.py serve`: the gateway on uvicorn, in one process or in several on one port."""

from __future__ import annotations

import signal
import socket
import sys
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from gateway_project import children
from gateway_project.children import Child

WORKERS_MAX = 64


class Command(BaseCommand):
    help = "Serve the gateway on HOST and PORT. Several workers need PostgreSQL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        workers = options["workers"]
        if not 1 <= workers <= WORKERS_MAX:
            raise CommandError(f"--workers must be between 1 and {WORKERS_MAX}.")
        if workers == 1:
            serve()
            return
        if connection.vendor == "sqlite":
            raise CommandError(
                "SQLite serves one gateway process; several need PostgreSQL (DATABASE_URL)."
            )
        connection.close()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"]
        with children.family() as started:
            started += [Child(f"worker {number}", command) for number in range(1, workers + 1)]
            children.watch(started)


def serve() -> None:
    """Listen with SO_REUSEPORT, so that the kernel spreads connections over the processes."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((settings.HOST, settings.PORT))
    config = uvicorn.Config(
        "gateway_project.asgi:application",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.DRAIN_SECONDS,
        ws_max_size=1_048_576,
    )
    connection.close()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    uvicorn.Server(config).run(sockets=[listener])
