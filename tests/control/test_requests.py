"""The request log by REST: found by an allow-list of filters, priced by the ledger."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from budgets.models import Posting, Tenant
from gateway_project.models import LoggedCall
from tests.control.rest import api, error, read

OPENED_US = 1_790_000_000_000_000


def line(tenant: Tenant, call: str, **given: Any) -> LoggedCall:
    known: dict[str, Any] = {
        "key_id": 7,
        "model": "fast",
        "end_user": "ann",
        "tags": "env=prod,team=search",
        "provider": "simulator",
        "attempts": "",
        "status": 200,
        "is_stream": False,
        "opened_us": OPENED_US,
        "milliseconds": 12,
        "count": 1,
    }
    return LoggedCall.objects.create(call=call, tenant_id=tenant.id, **{**known, **given})


def posting(tenant: Tenant, attempt: str, seq: int, **given: Any) -> Posting:
    known: dict[str, Any] = {
        "no": 0,
        "call": "c1",
        "call_no": 0,
        "key_id": 7,
        "day_utc": "2026-09-21",
        "day_local": "2026-09-21",
        "provider": "simulator",
        "model": "sim-echo",
        "price_id": 3,
        "basis": "usage",
        "outcome": "ok",
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "held_nanos": 0,
        "debit_nanos": 0,
        "credit_nanos": 0,
        "upper_nanos": 0,
        "windows": "",
        "opened_us": OPENED_US,
        "posted_us": OPENED_US + 5,
        "end_user": "",
        "tags": "",
    }
    return Posting.objects.create(
        attempt=attempt, seq=seq, tenant_id=tenant.id, **{**known, **given}
    )


def test_a_call_shows_its_attempts_and_what_they_come_to(acme: Tenant) -> None:
    line(acme, "c1", attempts="a1,a2")
    posting(acme, "a1", 1, outcome="lost", debit_nanos=500)
    posting(acme, "a1", 3, no=1, credit_nanos=400, input_tokens=10)
    posting(acme, "a2", 2, call_no=1, debit_nanos=1_000, input_tokens=5, output_tokens=2)

    shown = read(api().get("requests/c1"))

    assert (shown["cost_nanos"], shown["cost"]) == (1_100, "0.0000011")
    assert (shown["input_tokens"], shown["output_tokens"]) == (15, 2)
    assert shown["tags"] == {"env": "prod", "team": "search"}
    assert shown["opened_at"] == "2026-09-21T14:13:20Z"
    attempts = [(each["attempt"], each["no"], each["audit_seq"]) for each in shown["attempts"]]
    assert attempts == [("a1", 0, 1), ("a1", 1, 3), ("a2", 0, 2)]


def test_a_page_of_calls_asks_for_its_postings_once(acme: Tenant) -> None:
    root = api()
    line(acme, "c0", attempts="a0")
    with CaptureQueriesContext(connection) as of_one:
        root.get("requests")
    for number in range(1, 20):
        line(acme, f"c{number}", attempts=f"a{number}")

    with CaptureQueriesContext(connection) as of_many:
        found = read(root.get("requests"))["results"]

    assert len(found) == 20
    assert len(of_many) == len(of_one)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["c3", "c2", "c1"]),
        ({"tenant": "acme"}, ["c3", "c2", "c1"]),
        ({"tenant": "never-made"}, []),
        ({"key": 8}, ["c2"]),
        ({"model": "slow"}, ["c2"]),
        ({"provider": "simulator-refuse"}, ["c3"]),
        ({"status": "429"}, ["c3"]),
        ({"status": "4xx"}, ["c3"]),
        ({"code": "insufficient_quota"}, ["c3"]),
        ({"user": "bob"}, ["c2"]),
        ({"tag": "team=search"}, ["c3", "c1"]),
        ({"tag": "team=sea"}, []),
        ({"tag": "team=SEARCH"}, []),
        ({"since": "2026-09-21T14:13:21Z"}, ["c3", "c2"]),
        ({"until": "2026-09-21T14:13:21"}, ["c1"]),
        ({"since": "2026-09-21T14:13:21Z", "until": "2026-09-21T14:13:22Z"}, ["c2"]),
        ({"since": "2026-09-22"}, []),
    ],
)
def test_calls_are_found_by_what_is_asked(
    acme: Tenant, query: dict[str, Any], found: list[str]
) -> None:
    second = 1_000_000
    line(acme, "c1")
    line(acme, "c2", key_id=8, model="slow", end_user="bob", tags="", opened_us=OPENED_US + second)
    line(
        acme,
        "c3",
        provider="simulator-refuse",
        status=429,
        code="insufficient_quota",
        opened_us=OPENED_US + 2 * second,
    )

    rows = read(api().get("requests", **query))["results"]

    assert [row["call"] for row in rows] == found


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"key": "ann"}, "key"),
        ({"key": 10**30}, "key"),
        ({"status": "4x"}, "status"),
        ({"tag": "search"}, "tag"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-13-01"}, "until"),
        ({"model": "a\0b"}, "model"),
        ({"model": "x" * 300}, "model"),
        ({"cursor": "1 OR 1=1"}, "cursor"),
        ({"cursor": "9" * 30}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"ordering": "cost"}, "ordering"),
        ({"tenant_id": 1}, "tenant_id"),
    ],
)
def test_a_filter_that_means_nothing_is_named(query: dict[str, Any], param: str) -> None:
    assert error(api().get("requests", **query)) == (400, param)


def test_pages_go_on_where_calls_came_at_the_same_moment(acme: Tenant) -> None:
    for number in range(5):
        line(acme, f"c{number}")
    root = api()

    first = read(root.get("requests", limit=3, tenant="acme"))
    line(acme, "late", opened_us=OPENED_US + 1)
    second = read(root.client.get(first["next"], headers=root.script.headers))

    assert [row["call"] for row in first["results"]] == ["c4", "c3", "c2"]
    assert [row["call"] for row in second["results"]] == ["c1", "c0"]


def test_somebody_elses_calls_do_not_exist(acme: Tenant, globex: Tenant) -> None:
    line(acme, "c1")
    charlie = api(globex)

    assert error(charlie.get("requests/c1")) == (404, None)
    assert read(charlie.get("requests"))["results"] == []
    assert read(charlie.get("requests", tenant="acme"))["results"] == []
