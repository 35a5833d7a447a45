"""`python -m benchmarks [--only tollgate-sqlite,litellm] [--seconds 5] [--record]`.

Measures each gateway in turn, on the same machine and in the same session, prints the tables and
keeps them in `var/bench`: `results.json`, `results.md`, `results.svg`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import plot, results, tables
from .gateways import HOME, ROOT, Gateway, NeverReady, NotHere, Simulator, end_tidily
from .measuring import Row, has_door, idle_megabytes, measure
from .peers import LITELLM, MLFLOW, Direct, Nginx
from .processes import Cores
from .results import Contender
from .scenarios import SCENARIOS, Scenario
from .tollgate import Tollgate

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmarks.svg"
SECONDS_MAX = 60.0


def gateways(simulator: Simulator) -> list[Gateway]:
    """All contenders, in the order of the table."""
    return [
        Direct(simulator.process.pid),
        Nginx(),
        Tollgate("sqlite"),
        Tollgate("postgresql"),
        MLFLOW,
        LITELLM,
    ]


def run(asked: argparse.Namespace) -> results.Session:
    """Measure what is asked for, and keep it after each gateway."""
    cores = Cores.available()
    if cores.gateway is None:
        print("one core only: gateway, simulator and driver share it", file=sys.stderr)
    found = results.session()
    before = results.load().contenders if asked.add and results.RESULTS.exists() else []
    with Simulator(cores) as simulator:
        for gateway in gateways(simulator):
            if not asked.only or any(part in gateway.name for part in asked.only):
                found.contenders.append(_contend(gateway, simulator, cores, asked))
                results.save(found)
    found.contenders = results.merged(before, found.contenders)
    results.save(found)
    return found


def _contend(
    gateway: Gateway, simulator: Simulator, cores: Cores, asked: argparse.Namespace
) -> Contender:
    contender = Contender(gateway.name, gateway.meanwhile)
    print(gateway.name, file=sys.stderr)
    try:
        with gateway.running(simulator.url, cores) as started:
            contender.version = started.version
            contender.cold_start_seconds = started.cold_start_seconds
            contender.rss_idle_mb = idle_megabytes(started.pids)
            for scenario in _chosen(asked.scenarios):
                if has_door(started, scenario):
                    row = measure(started, scenario, simulator, cores, asked.seconds)
                    contender.rows.append(row)
                    print(f"  {_line(row)}", file=sys.stderr)
    except (NotHere, NeverReady) as error:
        contender.missing = str(error)
        print(f"  {error}", file=sys.stderr)
    return contender


def _chosen(names: Sequence[str]) -> list[Scenario]:
    return [each for each in SCENARIOS if not names or any(name in each.kind for name in names)]


def _line(row: Row) -> str:
    times = row["latency_us"] or {"p50": 0.0, "p99": 0.0}
    told = f" sample {row['sample'][:200]!r}" if row["errors"] else ""
    return (
        f"{row['scenario']:>24} c{row['callers']:<3} {row['per_second']:>9,.0f}/s "
        f"cpu {row['cpu_us']:>8,.0f} us  database {row['database_cpu_us']:>6,.0f} us  "
        f"p50 {times['p50'] / 1e3:.2f} p99 {times['p99'] / 1e3:.2f} ms  "
        f"errors {row['errors']}  noise {row['noise_percent']:.0f} %{told}"
    )


def show(found: results.Session, *, is_record: bool) -> None:
    """Print the tables, keep them beside the figures, and with `is_record` in the docs too."""
    text = tables.whole(found)
    print(text)
    HOME.joinpath("results.md").write_text(text + "\n")
    HOME.joinpath("results.svg").write_text(plot.svg(found.contenders))
    if is_record:
        tables.record(PAGE, f"![CPU by gateway]({PICTURE.name})\n\n{text}")
        PICTURE.write_text(plot.svg(found.contenders))


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"more than 0 and at most {SECONDS_MAX:.0f} seconds")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description="What a call costs.")
    parser.add_argument("--only", type=_names, default=[], help="parts of gateways' names")
    parser.add_argument("--scenarios", type=_names, default=[], help="parts of their names")
    parser.add_argument("--seconds", type=_seconds, default=5.0, help="of each scenario")
    parser.add_argument("--add", action="store_true", help="keep what was measured before")
    parser.add_argument("--record", action="store_true", help="write the table of the docs too")
    parser.add_argument("--show", action="store_true", help="only print what was measured before")
    asked = parser.parse_args()
    end_tidily()
    show(results.load() if asked.show else run(asked), is_record=asked.record)


if __name__ == "__main__":
    main()
