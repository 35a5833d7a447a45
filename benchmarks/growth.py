"""`python -m benchmarks.growth [--engines sqlite,postgresql] [--scale 1.0] [--seconds 5]`.

Does a call cost the same when the database is full? An empty house and one with a million
postings, 10,000 tenants and 100,000 keys stand side by side and are loaded in turn, so that what
disturbs one disturbs the other. Then: memory of slow streams that are open, and what two
processes on one PostgreSQL reach together.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import prompts
from .gateways import HOME, ROOT, Simulator, Started, end, end_tidily
from .measuring import Row, idle_megabytes, measure
from .processes import Cores, alone, on_core, open_files, resident_bytes
from .scenarios import Scenario
from .tollgate import House, house, version

TENANTS, KEYS, POSTINGS = 10_000, 100_000, 1_000_000
FILL_SECONDS = 3_600
ROUNDS = 3
WORK = (
    Scenario("json-1k", 1),
    Scenario("json-1k", 64),
    Scenario("stream-burst", 64, is_stream=True),
)
STREAMS = 500
SLOW = "mock-d1000-t60"
OPEN_SECONDS = 12.0  # a stream of 50 chunks stays open for 50
RESULTS = HOME / "growth.json"


def fill(made: House, scale: float) -> str:
    """Fill a house in a process of its own; returns what it says it has written."""
    tenants, keys, postings = (max(1, int(n * scale)) for n in (TENANTS, KEYS, POSTINGS))
    command = f"from benchmarks.filling import fill; fill({tenants}, {keys}, {postings})"
    return made.manage("shell", "-v", "0", "-c", command, seconds_max=FILL_SECONDS)


def compare(engine: str, simulator: Simulator, cores: Cores, asked: argparse.Namespace) -> Row:
    """Empty against full on one engine: each figure, and full over empty."""
    with ExitStack() as stack:
        houses = {}
        for name in ("empty", "full"):
            made = stack.enter_context(house(engine, simulator.url))
            houses[name] = (made, made.furnish())
        filled = fill(houses["full"][0], asked.scale)
        print(f"{engine}: {filled}", file=sys.stderr)
        started = {}
        for name, (made, key) in houses.items():
            started[name] = made.serve(f"{engine} {name}", key, cores)
            stack.callback(end, started[name].process)
        figures = {name: _figures(each, simulator, cores) for name, each in started.items()}
        rows = _in_turn(started, simulator, cores, asked.seconds)
        for name, found in rows.items():
            figures[name] |= found
        memory = open_streams(started["empty"], simulator, cores)
    ratios = {
        name: round(value / figures["empty"][name], 3)
        for name, value in figures["full"].items()
        if figures["empty"][name]
    }
    return {"engine": engine, "filled": filled, **figures, "ratio": ratios, "open_streams": memory}


def _figures(started: Started, simulator: Simulator, cores: Cores) -> dict[str, float]:
    return {
        "cold start s": round(started.cold_start_seconds or 0.0, 2),
        "idle RSS MB": idle_megabytes(started.pids),
    }


def _in_turn(
    started: dict[str, Started], simulator: Simulator, cores: Cores, seconds: float
) -> dict[str, dict[str, float]]:
    """The least CPU of ROUNDS runs each, taken in turn; noise only ever adds."""
    found: dict[str, dict[str, float]] = {name: {} for name in started}
    for scenario in WORK:
        for _ in range(ROUNDS):
            for name, each in started.items():
                row = measure(each, scenario, simulator, cores, seconds)
                _keep_least(found[name], scenario, row)
                print(
                    f"  {each.name:>18} {scenario.kind:>16}: cpu {row['cpu_us']:,.0f} us, database "
                    f"{row['database_cpu_us']:,.0f} us, errors {row['errors']}, "
                    f"noise {row['noise_percent']:.0f} %",
                    file=sys.stderr,
                )
    return found


def _keep_least(found: dict[str, float], scenario: Scenario, row: Row) -> None:
    for name in ("cpu_us", "database_cpu_us"):
        label = f"{scenario.kind} {name}"
        before = found.get(label)
        found[label] = row[name] if before is None else min(before, row[name])
    label = f"{scenario.kind} errors"
    found[label] = (found.get(label) or 0) + row["errors"]


def open_streams(started: Started, simulator: Simulator, cores: Cores) -> Row:
    """Memory of STREAMS open streams of one chunk a second, after a first load has warmed up."""
    with alone(), tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(prompts.body(SLOW, "1k", stream=True))
        before = resident_bytes(started.pids)
        command = [sys.executable, "-m", "benchmarks.load", "--url"]
        command += [f"{started.url}/v1/chat/completions", "--key", started.key, "--stream"]
        command += ["--body", file.name, "--callers", str(STREAMS), "--seconds", "1"]
        with on_core(cores.others):
            driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            time.sleep(OPEN_SECONDS)
            during = resident_bytes(started.pids)
            opened = min(STREAMS, open_files(simulator.process.pid))  # idle ones are used again
        finally:
            driver.terminate()
            driver.wait()
    each = (during - before) / max(1, opened)
    return {"streams": opened, "kilobytes_each": round(each / 1_000, 1)}


def processes(simulator: Simulator, cores: Cores, seconds: float) -> list[Row]:
    """One and two gateway processes on one PostgreSQL, free to use both cores."""
    found = []
    free = Cores(None, None)
    for workers in (1, 2):
        with house("postgresql", simulator.url) as made:
            started = made.serve(f"{workers} processes", made.furnish(), free, workers)
            try:
                row = measure(started, Scenario("json-1k", 64), simulator, free, seconds)
            finally:
                end(started.process)
        names = ("per_second", "cpu_us", "database_cpu_us", "errors", "noise_percent")
        found.append({"processes": workers, **{name: row[name] for name in names}})
        print(f"  {found[-1]}", file=sys.stderr)
    return found


def table(found: dict[str, Any]) -> str:
    """Markdown: each figure of the empty and the full house, and their ratio."""
    lines = [f"Commit {found['version']}, the least of {ROUNDS} runs taken in turn.", ""]
    for each in found["engines"]:
        lines += [f"{each['engine']}, full: {each['filled']}", ""]
        lines += ["| figure | empty | full | full / empty |", "| --- | --- | --- | --- |"]
        for name, value in each["empty"].items():
            ratio = each["ratio"].get(name, "-")
            lines.append(f"| {name} | {value:,} | {each['full'][name]:,} | {ratio} |")
        memory = each["open_streams"]
        lines += ["", f"{memory['streams']} open streams: {memory['kilobytes_each']} KB each", ""]
    if found["processes"]:
        lines += ["| processes | requests/s | CPU us | database CPU us | errors | noise % |"]
        lines += ["| --- " * 6 + "|"]
    for row in found["processes"]:
        lines.append(
            f"| {row['processes']} | {row['per_second']:,} | {row['cpu_us']:,} | "
            f"{row['database_cpu_us']:,} | {row['errors']} | {row['noise_percent']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description="Full against empty.")
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--scale", type=float, default=1.0, help="of a million postings")
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    end_tidily()
    cores = Cores.available()
    engines = [name for name in asked.engines.split(",") if name]
    with Simulator(cores) as simulator:
        found: dict[str, Any] = {
            "version": version(),
            "engines": [compare(name, simulator, cores, asked) for name in engines],
            "processes": processes(simulator, cores, asked.seconds)
            if "postgresql" in engines
            else [],
        }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    text = table(found)
    HOME.joinpath("growth.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
