"""Real gateways and simulators as processes on free ports, each with its own data folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from providers.simulator.journal import Call, read_journal

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Running:
    """A data folder with a simulator and a gateway process that can be killed and started again."""

    data: Path
    port: int
    environment: dict[str, str]
    simulator: subprocess.Popen[bytes]
    gateway: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return (done.stdout + done.stderr).strip()

    def start(self) -> None:
        command = [sys.executable, "manage.py", "serve"]
        log = (self.data / "gateway.log").open("ab")
        self.gateway = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )
        wait_until(lambda: self._is_ready(), START_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        assert self.gateway is not None
        self.gateway.send_signal(signal.SIGKILL)
        self.gateway.wait(10)

    def stop(self) -> None:
        for process in (self.gateway, self.simulator):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (self.gateway, self.simulator):
            if process is not None:
                process.wait(60)

    def key(self, *words: str) -> str:
        return self.manage("keys", "create", *words)

    def journal(self) -> list[Call]:
        return read_journal(self.data / "simulator-journal.jsonl")


def wait_until(condition: object, seconds: float) -> None:
    """Poll a condition with a bound; a state that never comes fails the test."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the state did not come in time"
        time.sleep(0.1)


def start(data: Path, **extra: str) -> Running:
    """A migrated and seeded data folder, its simulator and its gateway, all running."""
    simulator = subprocess.Popen(
        [sys.executable, "-m", "providers.simulator", "--data", str(data)], cwd=ROOT
    )
    known = data / "simulator.json"
    wait_until(known.exists, START_SECONDS)
    where = json.loads(known.read_text())
    port = free_port()
    environment = {
        **os.environ,
        "TOLLGATE_DATA": str(data),
        "PORT": str(port),
        "TOLLGATE_SIMULATOR_URL": where["url"],
        "TOLLGATE_SIMULATOR_REFUSE_URL": f"http://127.0.0.1:{where['refuse_port']}/v1",
        "TOLLGATE_FIRST_BYTE_SECONDS": "2",
        **extra,
    }
    environment.pop("OPENAI_API_KEY", None)
    environment.pop("ANTHROPIC_API_KEY", None)
    running = Running(data, port, environment, simulator)
    running.manage("migrate", "--verbosity", "0")
    running.manage("prices", "sync")
    running.start()
    return running
