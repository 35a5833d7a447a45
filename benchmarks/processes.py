"""What processes use, from /proc: CPU time and memory of whole trees, and the noise around them.

CPU time survives a noisy machine better than latency does, but not wholly: who shares a cache with
others needs more of it. So every figure goes with the noise of its run.
"""

from __future__ import annotations

import fcntl
import os
import resource
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.25
LOCK = Path(tempfile.gettempdir()) / "bench.lock"


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc: `ticks` are its own and those of children that it has reaped."""

    parent: int
    ticks: int
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the gateway has for itself, and which the rest shares; None where there is one."""

    gateway: int | None
    others: int | None

    @classmethod
    def available(cls) -> Cores:
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[1]) if len(cores) > 1 else cls(None, None)


def table() -> dict[int, Process]:
    """Every process that is there now."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            process = _read(int(name))
            if process is not None:
                found[int(name)] = process
    return found


def _read(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields after the name in brackets
    fields = text[text.rindex(")") + 2 :].split()
    return Process(int(fields[1]), sum(map(int, fields[11:15])), int(fields[21]) * PAGE_BYTES)


def tree(roots: Sequence[int], processes: dict[int, Process]) -> set[int]:
    """The roots that live, and all that descend from them."""
    found: set[int] = set()
    waiting = [pid for pid in roots if pid in processes]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += [child for child, row in processes.items() if row.parent == pid]
    return found


def cpu_seconds(roots: Sequence[int]) -> float:
    """User and system time of these trees so far."""
    processes = table()
    return sum(processes[pid].ticks for pid in tree(roots, processes)) / TICKS_PER_SECOND


def resident_bytes(roots: Sequence[int]) -> int:
    """Resident memory of these trees; pages that several share count for each."""
    processes = table()
    return sum(processes[pid].resident_bytes for pid in tree(roots, processes))


def open_files(pid: int) -> int:
    """Files and sockets that this one process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def busy_seconds() -> tuple[float, float]:
    """(CPU time of everything on this machine, time that the hypervisor took) since its start."""
    # https://man7.org/linux/man-pages/man5/proc_stat.5.html: user nice system idle iowait irq
    # softirq steal guest guest_nice; the guests' time is part of user and nice
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    busy = sum(fields) - fields[3] - fields[4] - fields[7]
    return busy / TICKS_PER_SECOND, fields[7] / TICKS_PER_SECOND


def own_seconds() -> float:
    """CPU time of this process and of the children that it has waited for."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started inside runs on this core alone, and so do its threads and children."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other measurement runs on this machine, and keep others waiting."""
    with LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class PeakMemory(threading.Thread):
    """Looks at the resident memory of trees, and remembers the most."""

    def __init__(self, roots: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self.most_bytes = 0
        self._roots = roots
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.most_bytes = max(self.most_bytes, resident_bytes(self._roots))

    def __enter__(self) -> PeakMemory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        self.most_bytes = max(self.most_bytes, resident_bytes(self._roots))
