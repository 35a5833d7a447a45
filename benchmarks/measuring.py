"""One scenario on one gateway: the same load direct to the provider, then through the gateway."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from . import prompts
from .gateways import ROOT, Simulator, Started
from .processes import (
    Cores,
    PeakMemory,
    alone,
    busy_seconds,
    cpu_seconds,
    on_core,
    own_seconds,
    resident_bytes,
)
from .scenarios import DOORS, Scenario

WARM_SECONDS = 1.0
DIRECT_SECONDS = 1.5
DRIVER_SECONDS = 60.0
MEGABYTE = 1_000_000
JSON = "application/json"
TIMES = ("latency_us", "first_byte_us", "first_chunk_us")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clocks:
    """CPU seconds of all who take part, and of the whole machine, at one moment."""

    at: float
    gateway: float
    database: float
    simulator: float
    own: float
    busy: float
    stolen: float

    @classmethod
    def read(cls, started: Started, simulator_pid: int) -> Clocks:
        busy, stolen = busy_seconds()
        others = [] if simulator_pid in started.pids else [simulator_pid]  # it may be the gateway
        return cls(
            time.monotonic(),
            cpu_seconds(started.pids),
            cpu_seconds(started.database_pids),
            cpu_seconds(others),
            own_seconds(),
            busy,
            stolen,
        )


def has_door(started: Started, scenario: Scenario) -> bool:
    """Does this gateway answer such a call at all?"""
    if scenario.upstream not in started.models:
        return False
    if scenario.door != scenario.upstream and not started.translates:
        return False
    headers = {"authorization": f"Bearer {started.key}", "x-api-key": started.key}
    body = _body(scenario, started.models[scenario.upstream])
    try:
        with httpx.Client(timeout=DRIVER_SECONDS, trust_env=False) as client:
            url = started.url + DOORS[scenario.door]
            answer = client.post(url, content=body, headers=headers | {"content-type": JSON})
    except httpx.HTTPError as error:
        print(f"    {scenario.kind} left out: {type(error).__name__}", file=sys.stderr)
        return False
    if answer.status_code not in (200, 404, 405):
        print(f"    {answer.status_code}: {answer.text[:200]}", file=sys.stderr)
    return answer.status_code == 200


def measure(
    started: Started, scenario: Scenario, simulator: Simulator, cores: Cores, seconds: float
) -> Row:
    """The figures of one run, as results.json has them."""
    body = _body(scenario, started.models[scenario.upstream])
    plain = _body(scenario, "", speak=scenario.upstream)
    is_direct = simulator.process.pid in started.pids
    with alone():
        direct = _load(
            simulator.url + DOORS[scenario.upstream], "none", plain, scenario, cores, DIRECT_SECONDS
        )
        url = started.url + DOORS[scenario.door]
        _load(url, started.key, body, scenario, cores, WARM_SECONDS)
        before = Clocks.read(started, simulator.process.pid)
        with PeakMemory(started.pids) as peak:
            load = _load(url, started.key, body, scenario, cores, seconds)
        after = Clocks.read(started, simulator.process.pid)
    return {
        "gateway": started.name,
        "scenario": scenario.name,
        "callers": scenario.callers,
        "seconds": seconds,
        **load,
        "direct": {name: direct[name] for name in ("per_second", "errors", *TIMES)},
        **_costs(before, after, load["answers"] + load["errors"]),
        "added_p50_us": None if is_direct else added(load, direct, "latency_us"),
        "added_first_chunk_p50_us": None if is_direct else added(load, direct, "first_chunk_us"),
        "rss_max_mb": round(peak.most_bytes / MEGABYTE, 1),
    }


def added(load: Row, direct: Row, name: str) -> float | None:
    """How much later than without a gateway, at the median."""
    if load[name] is None or direct[name] is None:
        return None
    through, past = float(load[name]["p50"]), float(direct[name]["p50"])
    return round(through - past, 1)


def _costs(before: Clocks, after: Clocks, calls: int) -> Row:
    elapsed = after.at - before.at
    known = ("gateway", "database", "simulator", "own")
    used = {name: getattr(after, name) - getattr(before, name) for name in known}
    other = after.busy - before.busy - sum(used.values())
    each = 1e6 / max(calls, 1)
    return {
        "cpu_us": round(used["gateway"] * each, 1),
        "database_cpu_us": round(used["database"] * each, 1),
        "simulator_cpu_us": round(used["simulator"] * each, 1),
        "driver_cpu_us": round(used["own"] * each, 1),
        "core_percent": round(used["gateway"] * 100 / elapsed, 1),
        "noise_percent": round(max(other, 0.0) * 100 / elapsed, 1),
        "stolen_percent": round((after.stolen - before.stolen) * 100 / elapsed, 1),
    }


def _body(scenario: Scenario, prefix: str, speak: str | None = None) -> bytes:
    model = prefix + scenario.behaviour
    wire = speak or scenario.door
    return prompts.body(model, scenario.size, stream=scenario.is_stream, wire=wire)


def _load(url: str, key: str, body: bytes, scenario: Scenario, cores: Cores, seconds: float) -> Row:
    """Run the driver as a process of its own and read what it prints."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(body)
        command = [sys.executable, "-m", "benchmarks.load", "--url", url, "--key", key]
        command += ["--body", file.name, "--callers", str(scenario.callers)]
        command += ["--seconds", str(seconds), *(["--stream"] if scenario.is_stream else [])]
        with on_core(cores.others):
            done = subprocess.run(
                command,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=seconds + DRIVER_SECONDS,
                check=True,
            )
    found: Row = json.loads(done.stdout)
    return found


def idle_megabytes(pids: Sequence[int]) -> float:
    """Resident memory after a rest."""
    time.sleep(1.0)
    return round(resident_bytes(pids) / MEGABYTE, 1)
