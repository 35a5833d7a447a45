"""`python -m benchmarks.beside [--ours sqlite] [--peer litellm] [--rounds 5] [--seconds 3]`.

How many times less CPU does a call take here? Our gateway and a peer are up together and loaded in
turn, so that both meet the machine as it is that minute: one that is shared may be twice as fast a
moment later, and a ratio of figures taken apart means little there. Each ratio is of a round's own
two runs; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from .gateways import HOME, Gateway, Simulator, Started, end_tidily
from .measuring import measure
from .peers import LITELLM, MLFLOW
from .processes import Cores
from .scenarios import PACED, Scenario
from .tollgate import Tollgate, version

PEERS: dict[str, Gateway] = {"litellm": LITELLM, "mlflow": MLFLOW}
WORK = (
    Scenario("json-1k", 64),
    Scenario("stream-burst", 64, is_stream=True),
    Scenario("stream-paced", 64, behaviour=PACED, is_stream=True),
)
CALLS_MIN = 8
RESULTS = HOME / "beside.json"


def compare(
    ours: Started, peer: Started, simulator: Simulator, cores: Cores, asked: argparse.Namespace
) -> list[dict[str, Any]]:
    """One row a kind of work: CPU of each round here and there, and the peer's over ours."""
    rows = []
    for scenario in WORK:
        found: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(asked.rounds):
            for who, started in (("ours", ours), ("peer", peer)):
                row = measure(started, scenario, simulator, cores, asked.seconds)
                print(
                    f"  {started.name:>20} {scenario.kind:>18}: {row['cpu_us']:,.0f} us, database "
                    f"{row['database_cpu_us']:,.0f} us, noise {row['noise_percent']:.0f} %",
                    file=sys.stderr,
                )
                if row["answers"] + row["errors"] < CALLS_MIN:
                    raise SystemExit(f"{started.name} answered too few calls: more --seconds")
                found[who].append(row["cpu_us"])
        ratios = [there / here for here, there in zip(found["ours"], found["peer"], strict=True)]
        rows.append({"scenario": scenario.kind, **found, "ratio": statistics.median(ratios)})
    return rows


def table(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: medians, and in brackets the least and the most of the rounds."""
    lines = [
        f"| CPU us a call | {names[0]} | {names[1]} | times |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        ours, peer = _spread(row["ours"]), _spread(row["peer"])
        lines.append(f"| {row['scenario']} | {ours} | {peer} | {row['ratio']:.1f} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.beside", description="Two in turn.")
    parser.add_argument("--ours", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--peer", default="litellm", choices=sorted(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    end_tidily()
    cores = Cores.available()
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(cores))
        ours, peer = [
            stack.enter_context(each.running(simulator.url, cores))
            for each in (Tollgate(asked.ours), PEERS[asked.peer])
        ]
        rows = compare(ours, peer, simulator, cores, asked)
    names = [f"{ours.name} {version()}", f"{peer.name} {peer.version}"]
    RESULTS.write_text(json.dumps({"of": names, "rows": rows}, indent=1) + "\n")
    print(table(names, rows))


if __name__ == "__main__":
    main()
