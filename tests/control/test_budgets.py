"""Budgets by REST: whole nano-dollars with a twin in decimal text, and never a float."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from budgets.models import Budget, Tenant, Window
from budgets.money import NANOS_MAX
from gateway_project import administration
from tests import people
from tests.control.chain import told
from tests.control.rest import api, error, read


@pytest.mark.parametrize("limit", [{"limit": "12.50"}, {"limit_nanos": 12_500_000_000}])
def test_a_limit_is_set_in_dollars_or_nanos_and_again_is_the_same(
    acme: Tenant, limit: dict[str, object]
) -> None:
    root = api()

    first = read(root.put("tenants/acme/budgets/month", limit))
    second = read(root.put("tenants/acme/budgets/month", limit))

    assert first == second
    assert (first["limit_nanos"], first["limit"]) == (12_500_000_000, "12.50")
    assert (first["scope"], first["period"], first["key"]) == ("tenant", "month", None)
    assert first["resets_at"].endswith("Z")
    assert Budget.objects.count() == 1
    assert told(acme.id)[-1]["after_limit_nanos"] == "12500000000"
    assert "after_limit_nanos" not in told(acme.id)[-2]


def test_a_changed_limit_is_told_with_before_and_after(acme: Tenant) -> None:
    root = api()
    root.put("tenants/acme/budgets/day", {"limit": "1"})

    root.put("tenants/acme/budgets/day", {"limit": "2"})

    entry = told(acme.id)[-1]
    assert (entry["before_limit_nanos"], entry["after_limit_nanos"]) == ("1000000000", "2000000000")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"limit": 1.5}, "limit"),
        ({"limit": "1e3"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "0.0000000001"}, "limit"),
        ({"limit_nanos": "5"}, "limit_nanos"),
        ({"limit_nanos": 5.0}, "limit_nanos"),
        ({"limit_nanos": -1}, "limit_nanos"),
        ({"limit_nanos": NANOS_MAX + 1}, "limit_nanos"),
        ({"limit_nanos": 10**40}, "limit_nanos"),
        ({"limit_nanos": True}, "limit_nanos"),
        ({"limit_nanos": None}, "limit_nanos"),
        ({"limit_nanos": 1, "limit": "1"}, "limit_nanos"),
        ({}, "limit_nanos"),
    ],
)
def test_what_is_no_limit_is_refused_by_name(
    acme: Tenant, body: dict[str, object], param: str
) -> None:
    assert error(api().put("tenants/acme/budgets/day", body)) == (400, param)
    assert not Budget.objects.exists()


def test_the_standing_says_what_is_spent_held_over_and_free(acme: Tenant) -> None:
    budget = administration.set_budget(people.ACTOR, acme, "day", 5 * 10**9)
    row = read(api().get("budgets"))["results"][0]
    assert (row["spent"], row["free"]) == ("0.00", "5.00")
    Window.objects.create(
        budget=budget,
        subject="",
        starts_us=_micros(row["starts_at"]),
        ends_us=_micros(row["resets_at"]),
        limit_nanos=5 * 10**9,
        held_nanos=10**9,
        spent_nanos=2 * 10**9,
        over_nanos=0,
    )

    row = read(api().get("budgets", tenant="acme", period="day"))["results"][0]

    assert [row[name] for name in ("spent_nanos", "held_nanos", "over_nanos", "free_nanos")] == [
        2 * 10**9,
        10**9,
        0,
        2 * 10**9,
    ]


def test_a_key_is_limited_by_its_own_limit_or_by_that_of_each_key(acme: Tenant) -> None:
    own, _ = administration.create_key(people.ACTOR, acme, "own")
    other, _ = administration.create_key(people.ACTOR, acme, "other")
    root = api()
    root.put("tenants/acme/key-budgets/day", {"limit": "1"})
    root.put(f"keys/{own.id}/budgets/day", {"limit": "7"})

    of_own = read(root.get("budgets", key=own.id))["results"]
    of_other = read(root.get("budgets", key=other.id))["results"]

    assert [(row["scope"], row["limit"], row["key"]) for row in of_own] == [("key", "7.00", own.id)]
    assert [(row["scope"], row["limit"], row["key"]) for row in of_other] == [
        ("each_key", "1.00", other.id)
    ]


def test_an_archived_limit_is_gone_and_told(acme: Tenant) -> None:
    budget = administration.set_budget(people.ACTOR, acme, "day", 10**9)
    root = api()

    assert root.delete(f"budgets/{budget.id}").status_code == 204

    assert read(root.get("budgets"))["results"] == []
    assert error(root.delete(f"budgets/{budget.id}")) == (404, None)
    assert told(acme.id)[-1]["action"] == "budget.archive"


def test_a_period_is_a_day_or_a_month(acme: Tenant) -> None:
    assert error(api().put("tenants/acme/budgets/week", {"limit": "1"})) == (404, None)


def test_somebody_elses_budgets_do_not_exist(acme: Tenant, globex: Tenant) -> None:
    budget = administration.set_budget(people.ACTOR, acme, "day", 10**9)
    charlie = api(globex)

    answers = [
        charlie.put("tenants/acme/budgets/day", {"limit": "1"}),
        charlie.put("tenants/acme/key-budgets/day", {"limit": "1"}),
        charlie.delete(f"budgets/{budget.id}"),
    ]

    assert [error(answer) for answer in answers] == [(404, None)] * 3
    assert read(charlie.get("budgets"))["results"] == []


def _micros(text: str) -> int:
    at = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return at // timedelta(microseconds=1)
