"""`manage.py up`: everything on one machine, from nothing: the gateway, its worker, the simulator.

A second run finds its data and is up within seconds; Ctrl-C and SIGTERM stop all it started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
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

READY_SECONDS = 60.0
RESTARTS_MAX = 5
RESTART_PERIOD_SECONDS = 60.0


class Command(BaseCommand):
    help = (
        "Migrate, seed a demo tenant, start gateway, worker and simulator, and print how to call."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        known = demo.seed()
        connection.close()
        children.stop_on_signals()
        started: list[Child] = []
        try:
            self._run(started, known)
        except children.Stopped as stopped:
            self.stdout.write(f"\n{stopped}: stopping")
        finally:
            children.stop([child.process for child in reversed(started)])

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
        while True:
            time.sleep(0.3)
            for child in started:
                child.keep_running()


class Child:
    """A process that is started again when it dies, a bounded number of times a minute."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name, self._command, self._environment = name, command, environment
        self._restarts: list[float] = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            cwd=settings.BASE_DIR,
            env=self._environment,
            preexec_fn=_end_with_parent,  # no threads run in this process
        )

    def keep_running(self) -> None:
        status = self.process.poll()
        if status is None:
            return
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < RESTART_PERIOD_SECONDS]
        if len(self._restarts) >= RESTARTS_MAX:
            raise CommandError(f"The {self.name} keeps failing (status {status}).")
        self._restarts.append(now)
        self.process = self._start()


def _end_with_parent() -> None:
    """Ask Linux to end this child when its parent is killed; elsewhere it ends by signal only."""
    import ctypes  # only in the child, and only where there is a libc to ask

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


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
