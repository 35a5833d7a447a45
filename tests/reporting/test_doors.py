"""Reports by page and by REST: who may ask, what is refused by name, and what is answered."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from budgets.models import Tenant
from gateway_project.console.reports import months
from gateway_project.reporting import pieces
from gateway_project.roles import Role
from tests import people
from tests.reporting import postings, readers

MARCH = {"since": "2026-03-01", "until": "2026-04-01"}
FILES = ["spend.csv", "spend.json", "spend.xlsx", "focus.csv"]


@pytest.fixture
def net(acme: Tenant, globex: Tenant) -> int:
    ground = postings.ground(5, acme, globex)
    start = postings.at("2026-03-02")
    return postings.post(each for number in range(80) for each in ground.bill(start + number))


@pytest.mark.parametrize("path", ["/api/reports/spend", "/api/reports/focus"])
def test_a_token_of_one_tenant_gets_that_tenant_alone(path: str, net: int, acme: Tenant) -> None:
    script = people.script(acme, "reports:read")

    data = readers.body(readers.get(path, script, **MARCH)).decode()
    cut = readers.body(readers.get("/api/reports/spend", script, **MARCH, by="tenant"))

    assert "globex" not in data
    assert [row["tenant"] for row in orjson.loads(cut)["rows"]] == ["acme"]
    assert 0 < orjson.loads(cut)["total"]["cost_nanos"] < net
    assert readers.get(path, script, **MARCH, tenant="globex").status_code == 404
    assert readers.get(path, script, **MARCH, tenant="never").status_code == 404


def test_somebody_elses_key_does_not_exist(net: int, acme: Tenant, globex: Tenant) -> None:
    script, key = people.script(acme, "reports:read"), globex.keys.all()[0]

    answer = readers.get("/api/reports/spend", script, **MARCH, key=key.id)

    assert answer.status_code == 404


def test_without_the_permission_there_is_no_report(acme: Tenant) -> None:
    script = people.script(acme, "keys:read")

    assert readers.get("/api/reports/spend", script, **MARCH).status_code == 403


@pytest.mark.parametrize(
    ("param", "wrong"),
    [
        ("since", {"since": "yesterday"}),
        ("since", {"since": "2026-02-30"}),
        ("until", {"until": "2026-03-01"}),
        ("until", {"until": "2036-12-01"}),
        ("by", {"by": "colour"}),
        ("by", {"by": "day,day"}),
        ("clock", {"clock": "mine"}),
        ("format", {"format": "pdf"}),
        ("tag", {"tag": "team"}),
        ("key", {"key": "x"}),
        ("colour", {"colour": "red"}),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(param: str, wrong: dict[str, str]) -> None:
    answer = readers.get("/api/reports/spend", people.script(), **{**MARCH, **wrong})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_a_file_is_named_and_not_kept(kind: str, net: int) -> None:
    answer = readers.get("/api/reports/spend", people.script(), **MARCH, format=kind)

    assert f'filename="spend-2026-03-01-2026-04-01.{kind}"' in answer["content-disposition"]
    assert answer["cache-control"] == "no-store"
    assert readers.body(answer)


def test_the_page_shows_the_ledgers_total_and_the_clock(net: int) -> None:
    alice = people.client("alice", Role.OWNER)

    page = alice.get("/reports/", {**MARCH, "by": "tenant", "then": "model"}).content.decode()

    assert readers.of_page(page) == net
    assert "Days of: UTC" in page
    assert "/reports/spend.xlsx?since=2026-03-01&amp;until=2026-04-01&amp;by=tenant%2Cmodel" in page
    assert "/reports/focus.csv?since=2026-03-01&amp;until=2026-04-01" in page


def test_the_page_adds_up_what_it_has_no_room_for(
    net: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_project.console.reports.ROWS_MAX", 2)
    alice = people.client("alice", Role.OWNER)

    page = alice.get("/reports/", {**MARCH, "by": "key", "then": "model"}).content.decode()

    assert "more groups" in page
    assert readers.of_page(page) == net


def test_a_month_without_spend_says_what_to_do_next() -> None:
    alice = people.client("alice", Role.OWNER)

    assert "Nothing was spent in this period" in alice.get("/reports/").content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"since": "x", "until": "y"}, {"since": "2026-03-02", "until": "2026-03-01"}, {"by": "q"}],
)
def test_a_page_with_wrong_filters_says_so(wrong: dict[str, str]) -> None:
    alice = people.client("alice", Role.OWNER)

    answer = alice.get("/reports/", wrong)

    assert answer.status_code == 200
    assert 'class="field-error"' in answer.content.decode()


def test_a_member_of_one_tenant_sees_that_tenant_alone(net: int, acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)

    page = bob.get("/reports/", {**MARCH, "by": "tenant", "then": "key"}).content.decode()

    assert "Acme" in page
    assert "lobex" not in page
    assert "lobex" not in bob.get("/reports/", {**MARCH, "tenant": "globex"}).content.decode()


@pytest.mark.parametrize("name", FILES)
def test_a_download_has_the_pages_filters(name: str, net: int, acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)

    answer = bob.get(f"/reports/{name}", {**MARCH, "tenant": "acme"})

    assert b"globex" not in readers.body(answer)
    assert bob.get(f"/reports/{name}", {**MARCH, "tenant": "globex"}).status_code == 404
    assert bob.get(f"/reports/{name}", {**MARCH, "until": "x"}).status_code == 400
    assert Client().get(f"/reports/{name}").status_code == 302


def test_the_command_writes_what_rest_answers(net: int, tmp_path: Path) -> None:
    out = tmp_path / "spend.csv"

    call_command("report", "spend", by="model", out=str(out), **MARCH)

    answer = readers.get("/api/reports/spend", people.script(), **MARCH, by="model", format="csv")
    assert out.read_bytes() == readers.body(answer)
    assert [path.name for path in tmp_path.iterdir()] == ["spend.csv"]


def test_a_command_that_asks_nonsense_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--until"):
        call_command(
            "report", "focus", since="2026-03-01", until="2026-03-01", out=str(tmp_path / "f")
        )

    assert list(tmp_path.iterdir()) == []


def numbers(ended: list[bool], seen: list[int]) -> pieces.Pieces:
    try:
        for number in range(1_000):
            seen.append(number)
            yield str(number).encode() if number else b""
    finally:
        ended.append(True)


async def test_pieces_are_made_only_as_they_are_taken() -> None:
    ended: list[bool] = []
    seen: list[int] = []
    made = await asyncio.to_thread(pieces.Thread, numbers(ended, seen))

    taken = [await anext(made) for _ in range(3)]
    made.close()
    made.close()
    made._worker.shutdown(wait=True)

    assert taken == [b"1", b"2", b"3"]
    assert seen == [0, 1, 2, 3]
    assert ended == [True]


async def test_all_pieces_come_and_the_place_is_free_again() -> None:
    for _ in range(pieces.ANSWERS_MAX + 1):
        made = await asyncio.to_thread(pieces.Thread, numbers([], []))

        assert len([piece async for piece in made]) == 999
        made._worker.shutdown(wait=True)


async def test_more_answers_than_may_be_made_at_once_are_refused() -> None:
    made = [
        await asyncio.to_thread(pieces.Thread, numbers([], [])) for _ in range(pieces.ANSWERS_MAX)
    ]

    with pytest.raises(pieces.Busy, match="Ask again"):
        pieces.Thread(numbers([], []))

    for each in made:
        each.close()
        each._worker.shutdown(wait=True)


def test_the_period_of_a_preset_is_a_whole_month() -> None:
    assert months("this_month", postings.at("2026-12-31")) == (date(2026, 12, 1), date(2027, 1, 1))
    assert months("last_month", postings.at("2026-03-31")) == (date(2026, 2, 1), date(2026, 3, 1))
