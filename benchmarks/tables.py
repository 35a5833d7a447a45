"""Results as Markdown, and the place in docs/benchmarks.md where they stand. Pure but for `record`.

Noise stands beside the figures: above NOISE_PERCENT compare with care, and only inside one table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from .measuring import Row
from .results import Contender, Session

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
NOISE_PERCENT = 20.0
NONE = "-"
KINDS = ("refused", "incomplete", "unended", "broken", "late")

Cell = Callable[[Contender], str]


def figure(value: float | None, *, scale: float = 1.0, digits: int = 0) -> str:
    """A number with separators; a dash for none."""
    return NONE if value is None else f"{value * scale:,.{digits}f}"


def _of(scenario: str, callers: int, name: str, scale: float = 1.0, digits: int = 0) -> Cell:
    def cell(contender: Contender) -> str:
        row = contender.row(scenario, callers)
        return NONE if row is None else figure(row[name], scale=scale, digits=digits)

    return cell


def _latency(scenario: str, callers: int) -> Cell:
    def cell(contender: Contender) -> str:
        row = contender.row(scenario, callers)
        if row is None or row["latency_us"] is None:
            return NONE
        times = row["latency_us"]
        return f"{figure(times['p50'], scale=1e-3, digits=1)} / " + figure(
            times["p99"], scale=1e-3, digits=1
        )

    return cell


def _both(one: Cell, other: Cell) -> Cell:
    return lambda contender: f"{one(contender)} / {other(contender)}"


def _memory(contender: Contender) -> str:
    return f"{figure(contender.rss_idle_mb)} / {figure(contender.rss_max_mb)}"


def _errors(contender: Contender) -> str:
    return figure(sum(row["errors"] for row in contender.rows))


def _noise(contender: Contender) -> str:
    most = max((float(row["noise_percent"]) for row in contender.rows), default=None)
    return figure(most) + ("!" if most is not None and most > NOISE_PERCENT else "")


SIDE_BY_SIDE: tuple[tuple[str, Cell], ...] = (
    ("gateway", lambda contender: contender.name),
    ("version", lambda contender: contender.version or NONE),
    ("meanwhile", lambda contender: contender.meanwhile),
    ("CPU us/request, c64", _of("json-1k", 64, "cpu_us")),
    ("database CPU us/request", _of("json-1k", 64, "database_cpu_us")),
    ("requests/s, one core, c64", _of("json-1k", 64, "per_second")),
    ("added p50 ms, c1", _of("json-1k", 1, "added_p50_us", 1e-3, 2)),
    ("p50 / p99 ms, c64", _latency("json-1k", 64)),
    (
        "CPU us/stream: burst / paced, c64",
        _both(_of("stream-burst", 64, "cpu_us"), _of("stream-paced", 64, "cpu_us")),
    ),
    (
        "added time to first token ms, c1",
        _of("stream-burst", 1, "added_first_chunk_p50_us", 1e-3, 2),
    ),
    ("idle / max RSS MB", _memory),
    ("cold start s", lambda contender: figure(contender.cold_start_seconds, digits=2)),
    ("errors", _errors),
    ("most noise %", _noise),
)
EACH: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("scenario", lambda row: f"{row['scenario']}, c{row['callers']}"),
    ("CPU us", lambda row: figure(row["cpu_us"])),
    ("database CPU us", lambda row: figure(row["database_cpu_us"])),
    ("answers/s", lambda row: figure(row["per_second"])),
    ("p50 / p99 ms", lambda row: _pair(row, "latency_us")),
    ("added p50 ms", lambda row: figure(row["added_p50_us"], scale=1e-3, digits=2)),
    (
        "added first token ms",
        lambda row: figure(row["added_first_chunk_p50_us"], scale=1e-3, digits=2),
    ),
    ("max RSS MB", lambda row: figure(row["rss_max_mb"])),
    ("answers / errors", lambda row: _counts(row)),
    ("noise %", lambda row: figure(row["noise_percent"])),
)


def _pair(row: Row, name: str) -> str:
    if row[name] is None:
        return NONE
    low, high = (figure(row[name][part], scale=1e-3, digits=1) for part in ("p50", "p99"))
    return f"{low} / {high}"


def _counts(row: Row) -> str:
    """Whole answers, and all else by its kind."""
    kinds = [f"{row[kind]:,} {kind}" for kind in KINDS if row[kind]]
    return f"{row['answers']:,} / {', '.join(kinds) or '0'}"


def side_by_side(contenders: Sequence[Contender]) -> str:
    """One row a gateway."""
    there = [contender for contender in contenders if contender.rows]
    rows = [[cell(contender) for _, cell in SIDE_BY_SIDE] for contender in there]
    absent = [f"{each.name}: {each.missing}" for each in contenders if each.missing]
    return "\n\n".join([_table([name for name, _ in SIDE_BY_SIDE], rows), *absent])


def each(contender: Contender) -> str:
    """One row a scenario of one gateway."""
    rows = [[cell(row) for _, cell in EACH] for row in contender.rows]
    return _table([name for name, _ in EACH], rows)


def whole(found: Session) -> str:
    """Everything, with the machine that it was measured on."""
    machine = found.machine
    programs = ", ".join(f"{name} {version}" for name, version in machine["programs"].items())
    parts = [
        f"Measured {found.began[:10]} on {machine['cores']} cores ({machine['cpu']}), Linux "
        f"{machine['kernel']}, CPython {machine['python']}; {programs}.",
        side_by_side(found.contenders),
    ]
    for contender in found.contenders:
        if contender.rows:
            parts += [f"### {contender.name}", each(contender)]
    return "\n\n".join(parts)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(page: str, text: str) -> str:
    """The page with `text` between its two markers; raises ValueError where it has none."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no place between {BEGIN} and {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page, count=1)


def record(path: Path, text: str) -> None:
    path.write_text(placed(path.read_text(), text))
