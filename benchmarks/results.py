"""What a session has measured: `var/bench/results.json`, and on which machine it was."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .gateways import HOME
from .measuring import Row

RESULTS = HOME / "results.json"
PROGRAMS = ("django", "channels", "uvicorn", "uvloop", "httptools", "orjson", "psycopg")


@dataclass(slots=True)
class Contender:
    """One gateway's rows, with what is measured once."""

    name: str
    meanwhile: str
    version: str = ""
    cold_start_seconds: float | None = None
    rss_idle_mb: float | None = None
    missing: str = ""  # why there are no rows
    rows: list[Row] = field(default_factory=list)

    def row(self, scenario: str, callers: int) -> Row | None:
        """The figures of one scenario, where it was measured."""
        for row in self.rows:
            if (row["scenario"], row["callers"]) == (scenario, callers):
                return row
        return None

    @property
    def rss_max_mb(self) -> float | None:
        return max((row["rss_max_mb"] for row in self.rows), default=None)


@dataclass(slots=True)
class Session:
    """All contenders of one run of the command."""

    began: str
    machine: dict[str, Any]
    contenders: list[Contender] = field(default_factory=list)


def session() -> Session:
    return Session(datetime.now(UTC).isoformat(timespec="seconds"), machine())


def machine() -> dict[str, Any]:
    """What a reader must know to compare with another machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "programs": {name: metadata.version(name) for name in PROGRAMS},
    }


def save(found: Session, path: Path = RESULTS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(found), indent=1) + "\n")


def load(path: Path = RESULTS) -> Session:
    """Read what `save` has written."""
    document = json.loads(path.read_text())
    contenders = [Contender(**each) for each in document["contenders"]]
    return Session(document["began"], document["machine"], contenders)


def merged(before: Sequence[Contender], after: Sequence[Contender]) -> list[Contender]:
    """Those of `after`, and those of `before` that were not measured again."""
    names = {contender.name for contender in after}
    return [*(each for each in before if each.name not in names), *after]
