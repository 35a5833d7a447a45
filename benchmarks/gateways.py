"""A gateway under measurement: how it is started, reached, watched and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from . import prompts
from .processes import Cores, on_core
from .wire import Dialect

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "bench"
START_SECONDS = 120.0
END_SECONDS = 40.0
POLL_SECONDS = 0.02
POLL_TIMEOUT_SECONDS = 10.0


class NotHere(Exception):
    """This gateway cannot be measured on this machine; the message says what is missing."""


class NeverReady(RuntimeError):
    """It was started and did not answer with 200 in time."""


@dataclass(slots=True)
class Started:
    """A running gateway. `pids` are roots of its trees, `database_pids` of its database's.

    `models` gives the prefix of model names by the wire of the provider; a wire that is not there
    cannot be measured through this gateway.
    """

    name: str
    url: str
    key: str
    version: str
    process: subprocess.Popen[bytes] | None
    cold_start_seconds: float | None
    pids: Sequence[int]
    database_pids: Sequence[int] = ()
    models: Mapping[Dialect, str] = field(default_factory=lambda: {"openai": ""})
    translates: bool = True  # from the caller's wire to another one of the provider


class Gateway(Protocol):
    """A contender; `meanwhile` says in a few words what it does besides passing calls on."""

    @property
    def name(self) -> str: ...

    @property
    def meanwhile(self) -> str: ...

    def running(self, simulator_url: str, cores: Cores) -> AbstractContextManager[Started]:
        """Start it on its core; raises NotHere before anything is started."""
        ...


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def spawn(
    command: Sequence[str], log: Path, core: int | None, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """A process in a group of its own, on a core of its own."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with on_core(core), log.open("ab") as out:
        return subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def until_answered(process: subprocess.Popen[bytes], url: str, key: str, model: str) -> float:
    """Seconds from now to the first 200 of a chat completion; raises NeverReady.

    Call it right after the start of the process.
    """
    began = time.monotonic()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    last = "no answer"
    with httpx.Client(timeout=POLL_TIMEOUT_SECONDS, trust_env=False) as client:
        while time.monotonic() - began < START_SECONDS:
            if process.poll() is not None:
                raise NeverReady(f"it ended with status {process.returncode}")
            try:
                answer = client.post(url, content=prompts.body(model, "1k"), headers=headers)
            except httpx.HTTPError as error:
                last = type(error).__name__
            else:
                if answer.status_code == 200:
                    return time.monotonic() - began
                last = f"{answer.status_code} {answer.text[:200]}"
            time.sleep(POLL_SECONDS)
    raise NeverReady(f"no 200 within {START_SECONDS:.0f} s; last: {last}")


def end(process: subprocess.Popen[bytes] | None) -> None:
    """SIGTERM to its whole group, and SIGKILL where that is not enough."""
    if process is None:
        return
    for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
        except ProcessLookupError:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def end_tidily() -> None:
    """From now on SIGTERM ends this process as Ctrl-C does: what it has started ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


class Simulator:
    """The simulated provider as a process, on the core that it shares with the driver."""

    def __init__(self, cores: Cores) -> None:
        with on_core(cores.others):
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.simulator"], cwd=ROOT, stdout=subprocess.PIPE
            )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(END_SECONDS)
