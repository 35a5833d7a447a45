"""Real gateways and simulators as processes on free ports, each with its own data folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from providers.simulator.journal import Call, read_journal

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
READY_IN_A_ROW = 3
FOREIGN = {"DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


LOG_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from budgets.models import Tenant
from gateway_project import administration
from gateway_project.roles import Role
administration.open_system_log()
tenant = Tenant.objects.filter(external_id='{2}').first()
user = administration.set_member('user:test', '{0}', tenant, Role('{1}'))[0].user
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(settings.SESSION_COOKIE_NAME + '=' + session.session_key)
"""


MAKE_TOKEN = """
from budgets.models import Tenant
from gateway_project import administration
from gateway_project.roles import EVERYTHING
administration.open_system_log()
tenant = Tenant.objects.filter(external_id='{0}').first()
scopes = {1} or sorted(EVERYTHING)
print(administration.create_token('user:test', 'test', tenant, scopes)[1])
"""


@dataclass
class Running:
    """A data folder with a simulator and a gateway process that can be killed and started again."""

    data: Path
    port: int
    environment: dict[str, str]
    simulator: subprocess.Popen[bytes]
    workers: int = 1
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
        command = [sys.executable, "manage.py", "serve", "--workers", str(self.workers)]
        with (self.data / "gateway.log").open("ab") as log:
            self.gateway = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(READY_IN_A_ROW * self.workers):
            wait_until(self._is_ready, START_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """SIGKILL to the gateway and all its workers at once: nobody can tidy up."""
        assert self.gateway is not None
        os.killpg(self.gateway.pid, signal.SIGKILL)
        self.gateway.wait(10)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the gateway's database from outside."""
        url = self.environment.get("DATABASE_URL")
        if url:
            with psycopg.connect(url, autocommit=True) as server:
                return server.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(self.data / "tollgate.sqlite3", timeout=20)) as file:
            return file.execute(query).fetchall()

    def change(self, *statements: str) -> None:
        """Change the gateway's database behind its back, as an intruder would."""
        url = self.environment.get("DATABASE_URL")
        if url:
            with psycopg.connect(url) as server:
                for statement in statements:
                    server.execute(statement.encode())
            return
        path = self.data / "tollgate.sqlite3"
        with closing(sqlite3.connect(path, timeout=20)) as file, file:
            for statement in statements:
                file.execute(statement)

    def stop(self) -> None:
        for process in (self.gateway, self.simulator):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (self.gateway, self.simulator):
            if process is not None:
                process.wait(60)

    def key(self, *words: str) -> str:
        return self.manage("keys", "create", *words)

    def token(self, *scopes: str, tenant: str = "") -> str:
        """The text of an admin token with these scopes, or with every one."""
        return self.manage("shell", "-v", "0", "-c", MAKE_TOKEN.format(tenant, scopes))

    def session(self, name: str, role: str = "owner", tenant: str = "") -> str:
        """The cookie of a person who has just been made and logged in."""
        return self.manage("shell", "-v", "0", "-c", LOG_IN.format(name, role, tenant))

    def journal(self) -> list[Call]:
        return read_journal(self.data / "simulator-journal.jsonl")


def wait_until(condition: object, seconds: float) -> None:
    """Poll a condition with a bound; a state that never comes fails the test."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the state did not come in time"
        time.sleep(0.1)


def start(data: Path, workers: int = 1, **extra: str) -> Running:
    """A migrated and priced data folder, its simulator and its gateway, all running."""
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
        "TOLLGATE_ANSWER_SECONDS": "5",
        **extra,
    }
    for name in FOREIGN - extra.keys():
        environment.pop(name, None)
    running = Running(data, port, environment, simulator, workers)
    running.manage("migrate", "--verbosity", "0")
    running.manage("prices", "sync")
    running.start()
    return running
