"""Hours of moderate load: does memory grow, does an answer fail, do ledger and chain still agree?

`SOAK_MINUTES=30 make soak-load`, on SQLite or with `--engine postgresql`. Whole answers wait 50 ms
for the provider and streams are paced, so the gateway is far from its limit. One line a minute;
then everything is added up, and the exit status is 1 if a call failed or the books disagree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import prompts
from .gateways import HOME, ROOT, Simulator, Started, end, end_tidily
from .processes import Cores, cpu_seconds, on_core, resident_bytes
from .scenarios import PACED
from .tollgate import House, house, version

MINUTES_MAX = 7 * 24 * 60
PATIENCE_SECONDS = 60
LOADS = (("mock-t50", 8, False), (PACED, 16, True))  # model, callers, streamed
ROLL_UP = "from budgets.rollups import roll_up; print(roll_up())"
RESULTS = HOME / "soak.json"


@dataclass(frozen=True, slots=True)
class Slice:
    """What happened in one stretch of load."""

    answers: int
    streams: int
    errors: int
    sample: str
    rss_mb: float
    core_percent: float


def slice_of(started: Started, cores: Cores, seconds: float) -> Slice:
    """Load for so many seconds, whole answers and streams at once."""
    cpu_before = cpu_seconds(started.pids)
    with tempfile.TemporaryDirectory() as folder, on_core(cores.others):
        drivers = [_driver(started, Path(folder), load, seconds) for load in LOADS]
        found = [_read(driver, seconds) for driver in drivers]
    used = cpu_seconds(started.pids) - cpu_before
    return Slice(
        answers=found[0]["answers"],
        streams=found[1]["answers"],
        errors=sum(each["errors"] for each in found),
        sample=next((each["sample"] for each in found if each["errors"]), ""),
        rss_mb=round(resident_bytes(started.pids) / 1e6, 1),
        core_percent=round(used * 100 / seconds, 1),
    )


def _driver(
    started: Started, folder: Path, load: tuple[str, int, bool], seconds: float
) -> subprocess.Popen[str]:
    model, callers, is_stream = load
    body = folder / f"{model}.json"
    body.write_bytes(prompts.body(model, "1k", stream=is_stream))
    command = [sys.executable, "-m", "benchmarks.load", "--key", started.key]
    command += ["--url", f"{started.url}/v1/chat/completions", "--body", str(body)]
    command += ["--callers", str(callers), "--seconds", str(seconds)]
    command += ["--stream"] if is_stream else []
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _read(driver: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    said, _ = driver.communicate(timeout=seconds + PATIENCE_SECONDS)
    found: dict[str, Any] = json.loads(said)
    return found


def books(made: House) -> dict[str, str]:
    """What the commands say of ledger and chain."""
    return {
        "rolled up": made.manage("shell", "-v", "0", "-c", ROLL_UP),
        "ledger check": made.manage("ledger", "check"),
        "audit verify": made.manage("audit", "verify"),
    }


def growth_mb(slices: Sequence[Slice]) -> float:
    """Mean memory of the last quarter less that of the second: the first one is warming up."""
    quarter = max(1, len(slices) // 4)

    def mean(part: Sequence[Slice]) -> float:
        return sum(each.rss_mb for each in part) / len(part)

    second = slices[quarter : 2 * quarter] or slices[:1]
    return round(mean(slices[-quarter:]) - mean(second), 1)


def run(engine: str, minutes: int, slice_seconds: float) -> int:
    """Exit status: 0 if every call was answered and booked once.

    A command that finds ledger or chain wrong raises with its own words.
    """
    cores = Cores.available()
    slices: list[Slice] = []
    with Simulator(cores) as simulator, house(engine, simulator.url) as made:
        started = made.serve(f"soak {engine}", made.furnish(), cores)
        try:
            for minute in range(1, minutes + 1):
                slices.append(slice_of(started, cores, slice_seconds))
                print(f"minute {minute}: {_line(slices[-1])}", flush=True)
        finally:
            end(started.process)
        told = books(made)
    calls = 1 + sum(each.answers + each.streams for each in slices)  # one has shown it was ready
    errors = sum(each.errors for each in slices)
    is_booked = told["ledger check"].startswith(f"{calls} postings, 0 open holds")
    for name, text in told.items():
        print(f"{name}: {text}")
    print(f"answered: {calls} calls, each booked once: {'yes' if is_booked else 'NO'}")
    print(f"errors: {errors}; memory from second to last quarter: {growth_mb(slices):+.1f} MB")
    found = {"engine": engine, "version": version(), "books": told, "errors": errors}
    RESULTS.write_text(json.dumps(found | {"slices": [asdict(each) for each in slices]}, indent=1))
    return 0 if is_booked and not errors else 1


def _line(each: Slice) -> str:
    told = f", sample {each.sample[:200]!r}" if each.errors else ""
    return (
        f"{each.answers:,} answers, {each.streams:,} streams, {each.errors} errors, "
        f"RSS {each.rss_mb} MB, {each.core_percent} % of a core{told}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description="Moderate load for long.")
    minutes = int(os.environ.get("SOAK_MINUTES") or 30)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--minutes", type=int, default=minutes, help="or SOAK_MINUTES; 30")
    parser.add_argument("--slice", type=float, default=60.0, help="seconds between two lines")
    asked = parser.parse_args()
    end_tidily()
    if not 1 <= asked.minutes <= MINUTES_MAX:
        parser.error(f"between 1 and {MINUTES_MAX} minutes")
    sys.exit(run(asked.engine, asked.minutes, asked.slice))


if __name__ == "__main__":
    main()
