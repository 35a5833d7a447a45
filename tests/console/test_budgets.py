"""Budgets in the console: how limits stand, and who may set them."""

from __future__ import annotations

import pytest

from budgets.models import Budget, Tenant
from gateway_project import administration
from gateway_project.roles import Role
from tests import people

LIMIT = {"tenant": "acme", "scope": "tenant", "period": "day", "dollars": "12.50"}


@pytest.fixture
def budget(acme: Tenant) -> Budget:
    return administration.set_budget(people.ACTOR, acme, "day", 5_000_000_000)


def test_finance_sets_a_limit_that_holds_at_once(acme: Tenant) -> None:
    fiona = people.client("fiona", Role.FINANCE, acme)

    answer = fiona.post("/new/budget/", LIMIT)

    assert answer["location"] == "/budgets/?tenant=acme"
    assert Budget.objects.get().limit_nanos == 12_500_000_000
    page = fiona.get("/budgets/").content.decode()
    assert "$12.50" in page
    assert "Europe/Amsterdam" in page


def test_a_limit_of_one_key_and_of_each_key(acme: Tenant) -> None:
    key, _ = administration.create_key(people.ACTOR, acme, "batch")
    alice = people.client("alice", Role.OWNER)

    alice.post("/new/budget/", {**LIMIT, "scope": "key", "key": f"{key.prefix}…"})
    alice.post("/new/budget/", {**LIMIT, "scope": "each", "period": "month"})

    assert Budget.objects.get(api_key=key).period == "day"
    assert Budget.objects.get(api_key=None).scope == "key"


def test_a_form_that_is_wrong_comes_back_with_the_reason(acme: Tenant, globex: Tenant) -> None:
    foreign, _ = administration.create_key(people.ACTOR, globex, "theirs")
    alice = people.client("alice", Role.OWNER)
    form = {**LIMIT, "scope": "key", "key": foreign.prefix, "dollars": "-1"}

    page = alice.post("/new/budget/", form).content.decode()

    assert "no active key that begins so" in page
    assert "is not an amount of dollars" in page
    assert not Budget.objects.exists()


def test_the_form_knows_the_tenant_it_was_opened_for(acme: Tenant) -> None:
    page = people.client("alice", Role.OWNER).get("/new/budget/?tenant=acme").content.decode()

    assert '<option value="acme" selected>' in page


def test_only_full_limits_are_shown_when_asked_for(budget: Budget, globex: Tenant) -> None:
    administration.set_budget(people.ACTOR, globex, "day", 0)
    alice = people.client("alice", Role.OWNER)

    page = alice.get("/budgets/?over=80", headers={"hx-request": "true"}).content.decode()

    assert "Globex" in page
    assert "Acme" not in page
    assert "<html" not in page


def test_a_limit_is_archived_after_a_question(budget: Budget) -> None:
    alice = people.client("alice", Role.OWNER)

    asked = alice.get(f"/budgets/{budget.id}/archive/").content.decode()
    alice.post(f"/budgets/{budget.id}/archive/")

    budget.refresh_from_db()
    assert "$5.00" in asked
    assert not budget.is_active
    assert "can spend without end" in alice.get("/budgets/").content.decode()


def test_a_viewer_sees_limits_and_no_way_to_change_them(budget: Budget) -> None:
    bob = people.client("bob", Role.VIEWER, budget.tenant)

    page = bob.get("/budgets/").content.decode()

    assert "$5.00" in page
    assert "/new/budget/" not in page
    assert "/archive/" not in page
    assert bob.post(f"/budgets/{budget.id}/archive/").status_code == 403


def test_somebody_elses_limits_do_not_exist(budget: Budget, globex: Tenant) -> None:
    charlie = people.client("charlie", Role.OWNER, globex)

    assert "$5.00" not in charlie.get("/budgets/?tenant=acme").content.decode()
    assert charlie.post(f"/budgets/{budget.id}/archive/").status_code == 404
    page = charlie.post("/new/budget/", LIMIT).content.decode()
    assert "That choice is not one of the available choices" in page
