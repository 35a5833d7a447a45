"""Our own gateway with everything on, on SQLite or PostgreSQL.

On means: key check, rate limit (as high as never to refuse), budgets of tenant and key by day and
by month, hold and posting of every call in the ledger, audit chain, request log.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests import databases

from .gateways import HOME, ROOT, Started, end, free_port, spawn, until_answered
from .processes import Cores
from .wire import Dialect

REQUESTS_PER_MINUTE = 1_000_000_000
LIMIT_NANOS = 10**17
PRICED = ("mock", "mock-d20-t60", "mock-d1000-t60", "mock-t50")
TOKEN_LIMIT = 1_000_000  # a prompt of 400 KB is let through
MANAGE_SECONDS = 300
FURNITURE = f"""
from gateway_project import administration
administration.open_system_log()
rates = {{"input_mtok": "2.5", "output_mtok": "10"}}
for provider in ("openai", "anthropic"):
    for model in {PRICED!r}:
        administration.override_price("benchmark", provider, model, rates, None)
tenant = administration.create_tenant("benchmark", "benchmark", "benchmark")
key, text = administration.create_key(
    "benchmark", tenant, "benchmark", requests_per_minute={REQUESTS_PER_MINUTE}
)
for period in ("day", "month"):
    for owner in (None, key):
        administration.set_budget("benchmark", tenant, period, {LIMIT_NANOS}, key=owner)
print(text)
"""
FOREIGN = ("REDIS_URL", "DATABASE_URL", "TOLLGATE_SIMULATOR_URL")
MODELS: Mapping[Dialect, str] = {"openai": "", "anthropic": "anthropic/"}


@dataclass(frozen=True, slots=True)
class House:
    """A data folder with a database, and the environment that the gateway is started in."""

    data: Path
    port: int
    environment: Mapping[str, str]
    database_pids: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *words: str, seconds_max: float = MANAGE_SECONDS) -> str:
        """What `manage.py` prints; a command that fails ends the benchmark with its own words."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=seconds_max,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {words[0]}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def furnish(self) -> str:
        """Migrate, price the models, and make the key with its budgets; returns the key."""
        self.manage("migrate", "--verbosity", "0")
        return self.manage("shell", "-v", "0", "-c", FURNITURE)

    def serve(self, name: str, key: str, cores: Cores, workers: int = 1) -> Started:
        """Start the gateway and wait for its first 200."""
        command = [sys.executable, "manage.py", "serve", "--workers", str(workers)]
        core = cores.gateway if workers == 1 else None
        process = spawn(command, self.data / "gateway.log", core, self.environment)
        try:
            chat = f"{self.url}/v1/chat/completions"
            seconds = until_answered(process, chat, key, "mock")
        except BaseException:
            end(process)
            raise
        return Started(
            name,
            self.url,
            key,
            version(),
            process,
            seconds,
            [process.pid],
            self.database_pids,
            MODELS,
        )


@dataclass(frozen=True, slots=True)
class Tollgate:
    """The contender; `engine` is sqlite or postgresql."""

    engine: str

    @property
    def name(self) -> str:
        return f"tollgate-{self.engine}"

    @property
    def meanwhile(self) -> str:
        return "keys, rate limit, 4 budgets, ledger, audit chain, request log"

    @contextmanager
    def running(self, simulator_url: str, cores: Cores) -> Iterator[Started]:
        with house(self.engine, simulator_url) as made:
            key = made.furnish()
            started = made.serve(self.name, key, cores)
            try:
                yield started
            finally:
                end(started.process)


@contextmanager
def house(engine: str, simulator_url: str) -> Iterator[House]:
    """An empty data folder, and on PostgreSQL an empty database; both are gone afterwards."""
    HOME.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix=f"tollgate-{engine}-", dir=HOME))
    try:
        if engine == "sqlite":
            yield _house(data, simulator_url)
        else:
            with databases.server() as server, databases.database(server) as url:
                pids = (database_pid(server),)
                yield _house(data, simulator_url, DATABASE_URL=url, pids=pids)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _house(data: Path, simulator_url: str, *, pids: tuple[int, ...] = (), **extra: str) -> House:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {
        "TOLLGATE_DATA": str(data),
        "PORT": str(port),
        "TOLLGATE_TOKEN_LIMIT": str(TOKEN_LIMIT),
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": f"{simulator_url}/v1",
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": simulator_url,
        **extra,
    }
    return House(data, port, environment, pids)


def database_pid(server_url: str) -> int:
    """The first process of a PostgreSQL server on this machine; all others are its children."""
    with psycopg.connect(server_url, autocommit=True) as server:
        row = server.execute("SHOW data_directory").fetchone()
    assert row is not None, "a server says where its data are"
    return int((Path(row[0]) / "postmaster.pid").read_text().splitlines()[0])


def version() -> str:
    """The commit that is measured, with a mark where files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "no commit"
