"""Child processes: kept running while their parent runs, and ended with it, within bounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from django.conf import settings
from django.core.management.base import CommandError

STOP_SECONDS = 2 * settings.DRAIN_SECONDS + 15  # connections drain first, then what they left
RESTARTS_MAX = 5
RESTART_PERIOD_SECONDS = 60.0
LOOK_SECONDS = 0.2


class Stopped(Exception):
    """SIGTERM or SIGINT arrived."""


class KeepsFailing(CommandError):
    """A child died more often than it may be started again."""


class Child:
    """A process that is started again when it dies, a bounded number of times a minute."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name, self._command = name, command
        self._environment = dict(os.environ if environment is None else environment)
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
            raise KeepsFailing(f"The {self.name} keeps failing (status {status}).")
        self._restarts.append(now)
        self.process = self._start()


@contextmanager
def family() -> Iterator[list[Child]]:
    """A list for children, all of which have ended when the body has; a signal ends the body."""
    started: list[Child] = []
    _stop_on_signals()
    try:
        yield started
    except Stopped:
        return
    finally:
        _stop([child.process for child in reversed(started)])


def watch(started: Sequence[Child]) -> NoReturn:
    """Keep them running until a signal raises Stopped, or one raises KeepsFailing."""
    while True:
        time.sleep(LOOK_SECONDS)
        for child in started:
            child.keep_running()


def _stop_on_signals() -> None:
    """Let the first SIGTERM or SIGINT raise Stopped in the main thread, and ignore the rest."""

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """SIGTERM to each, in order; whoever is still there after STOP_SECONDS is killed."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    """Ask Linux to end this child when its parent is killed; elsewhere it ends by signal only."""
    import ctypes  # only in the child, and only where there is a libc to ask

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
