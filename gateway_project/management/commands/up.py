"""`manage.py up`: everything on one machine, from nothing: the gateway, its worker, the simulator.

A second run finds its data and is up within seconds; Ctrl-C and SIGTERM stop all it started.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from gateway_project import children, demo
from gateway_project.children import Child

READY_SECONDS = 60.0


class Command(BaseCommand):
    help = (
        "Migrate, seed a demo tenant, start gateway, worker and simulator, and print how to call."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        known = demo.seed()
        connection.close()
        with children.family() as started:
            self._run(started, known)

    def _run(self, started: list[Child], known: dict[str, str]) -> None:
        simulator = Child("simulator", _simulator_command(), os.environ.copy())
        started.append(simulator)
        environment = {**os.environ, **_simulator_urls(simulator)}
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        gateway = Child("gateway", [*manage, "serve"], environment)
        started.append(gateway)
        _wait_until_ready(gateway)
        started.append(Child("worker", _worker_command(), environment))
        self.stdout.write(demo.instructions(known))
        children.watch(started)


def _simulator_command() -> list[str]:
    return [sys.executable, "-m", "providers.simulator", "--data", str(settings.DATA)]


def _worker_command() -> list[str]:
    return [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "gateway_project.celery",
        "worker",
        "-B",
        "-P",
        "solo",
        "-l",
        "WARNING",
        "-s",
        str(settings.DATA / "beat"),
    ]


def _simulator_urls(simulator: Child) -> dict[str, str]:
    path = settings.DATA / "simulator.json"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        known = _read(path)
        if known.get("pid") == simulator.process.pid:
            return {
                "TOLLGATE_SIMULATOR_URL": str(known["url"]),
                "TOLLGATE_SIMULATOR_REFUSE_URL": f"http://127.0.0.1:{known['refuse_port']}/v1",
            }
        if simulator.process.poll() is not None:
            raise CommandError("The simulator did not start.")
        time.sleep(0.05)
    raise CommandError(f"The simulator did not start within {READY_SECONDS:g} s.")


def _read(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return known


def _wait_until_ready(gateway: Child) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if gateway.process.poll() is not None:
            raise CommandError("The gateway did not start; is the port in use?")
        try:
            with urllib.request.urlopen(f"{demo.url()}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CommandError(f"The gateway was not ready within {READY_SECONDS:g} s.")
