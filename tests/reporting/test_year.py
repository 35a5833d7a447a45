"""A year of postings: every way to ask says the same number, to the last nano-dollar.

SCALE=40 makes 200,000 postings of the usual 5,000.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import orjson

from budgets import drift
from budgets.models import Posting, Tenant
from budgets.rollups import roll_up
from gateway_project import verification
from gateway_project.reporting import asking, files
from gateway_project.roles import Role
from tests import people
from tests.reporting import postings, readers

POSTINGS = 5_000 * int(os.environ.get("SCALE", "1"))
YEAR = {"since": "2025-01-01", "until": "2026-01-01"}
BY = "day,tenant,key,user,model,tag:team"
MEMORY_MAX = 64 * 1024 * 1024
YEAR_US = 365 * postings.DAY_US


def year(ground: postings.Ground, count: int) -> Iterator[Any]:
    start = postings.at("2025-01-01")
    for number in range(count):
        yield from ground.bill(start + number * YEAR_US // count)


def measured(made: Callable[[], Iterator[bytes]]) -> tuple[bytes, float, int]:
    """(the file, seconds, peak bytes of Python's memory in a second run that keeps no piece)."""
    started = time.perf_counter()
    data = b"".join(made())
    seconds = time.perf_counter() - started
    tracemalloc.start()
    for _ in made():
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return data, seconds, peak


def test_every_way_to_ask_says_the_same(acme: Tenant, globex: Tenant, capsys: Any) -> None:
    tokyo = people.tenant("tokyo", "Asia/Tokyo")
    ground = postings.ground(7, acme, globex, tokyo)
    made = year(ground, POSTINGS * 12 // 14)
    net = postings.post(next(made) for _ in range(POSTINGS // 2))
    roll_up()
    net += postings.post(made)
    alice, script = people.client("alice", Role.OWNER), people.script()
    ask = asking.read({**YEAR, "by": BY}, None)
    since, until = date(2025, 1, 1), date(2026, 1, 1)

    made_files = {
        kind: measured(lambda kind=kind: files.spend(ask, kind))  # type: ignore[misc]
        for kind in files.FILES
    }
    made_files["focus"] = measured(lambda: files.focus(since, until, None))
    page = alice.get("/reports/", {**YEAR, "by": "day", "then": "model"}).content.decode()
    rest = orjson.loads(readers.body(readers.get("/api/reports/spend", script, **YEAR, by=BY)))
    found = {
        "page": readers.of_page(page),
        "REST total": rest["total"]["cost_nanos"],
        "REST rows": sum(row["cost_nanos"] for row in rest["rows"]),
        "CSV": readers.of_csv(made_files["csv"][0]),
        "XLSX rows": readers.of_xlsx(made_files["xlsx"][0])[0],
        "XLSX summary": readers.of_xlsx(made_files["xlsx"][0])[1],
        "FOCUS": readers.of_focus(made_files["focus"][0]),
        "ledger": readers.of_ledger(),
        "audit chain": postings.of_chain(),
    }
    roll_up()
    found["rollups"] = readers.of_rollups()

    with capsys.disabled():
        print(f"\n{Posting.objects.count()} postings, {len(rest['rows'])} groups")
        for name, value in found.items():
            print(f"{name:13} {value}")
        for name, (data, seconds, peak) in made_files.items():
            print(
                f"{name:6} {seconds:6.2f} s, {len(data):>11,} bytes, peak {peak / 2**20:5.1f} MiB"
            )
    assert set(found.values()) == {net}
    assert verification.verify().is_intact
    assert drift.find() == []
    assert max(peak for _, _, peak in made_files.values()) < MEMORY_MAX
