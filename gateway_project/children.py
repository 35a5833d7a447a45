"""Child processes that end with their parent, and are waited for with a bound."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

STOP_SECONDS = 40.0


class Stopped(Exception):
    """SIGTERM or SIGINT arrived."""


def stop_on_signals() -> None:
    """Let SIGTERM and SIGINT raise Stopped in the main thread, once."""

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
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


def wait_for_all(processes: Sequence[subprocess.Popen[bytes]]) -> int:
    """Run until a signal, or until one of them ends; then stop all. Returns the exit status."""
    stop_on_signals()
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
    except Stopped:
        stop(processes)
        return 0
    stop(processes)
    return 1
