"""Tenants in the console: seen, made and changed by those who may."""

from __future__ import annotations

from django.test import Client

from budgets.models import Budget, Tenant
from gateway_project.roles import Role
from tests import people

NEW = {"name": "Initech", "external_id": "initech", "zone": "Asia/Tokyo", "daily_limit": "1.00"}


def test_an_owner_makes_a_tenant_with_a_daily_limit() -> None:
    alice = people.client("alice", Role.OWNER)

    answer = alice.post("/new/tenant/", NEW)

    assert answer.status_code == 302
    assert answer["location"] == "/tenants/initech/"
    made = Tenant.objects.get(external_id="initech")
    assert (made.name, made.zone) == ("Initech", "Asia/Tokyo")
    assert Budget.objects.get(tenant=made).limit_nanos == 1_000_000_000
    page = alice.get("/tenants/initech/").content.decode()
    assert "$1.00" in page
    assert "Asia/Tokyo" in page


def test_a_form_that_is_wrong_comes_back_with_the_reason() -> None:
    alice = people.client("alice", Role.OWNER)

    answer = alice.post("/new/tenant/", {**NEW, "zone": "Mars/Base", "daily_limit": "1e3"})

    page = answer.content.decode()
    assert "is not a time zone" in page
    assert "is not an amount of dollars" in page
    assert not Tenant.objects.filter(external_id="initech").exists()


def test_a_viewer_sees_no_way_to_change_and_is_refused_when_trying(acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)

    page = bob.get("/tenants/acme/").content.decode()

    assert "/tenants/acme/change/" not in page
    assert bob.post("/tenants/acme/change/", {"name": "Hacked"}).status_code == 403
    assert bob.post("/new/tenant/", NEW).status_code == 403


def test_somebody_elses_tenant_does_not_exist(acme: Tenant, globex: Tenant) -> None:
    charlie = people.client("charlie", Role.OWNER, globex)

    assert charlie.get("/tenants/acme/").status_code == 404
    assert charlie.get("/tenants/never-made/").status_code == 404
    assert charlie.post("/tenants/acme/change/", {"name": "Mine"}).status_code == 404
    assert "acme" not in charlie.get("/tenants/").content.decode()


def test_a_new_zone_waits_for_the_windows_that_are_open(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    form = {"name": "Acme", "zone": "Asia/Tokyo", "retention_days": 30, "is_active": "on"}

    assert alice.post("/tenants/acme/change/", form).status_code == 302
    again = alice.post("/tenants/acme/change/", {**form, "zone": "UTC"})

    acme.refresh_from_db()
    assert (acme.zone, acme.zone_before, acme.retention_days) == (
        "Asia/Tokyo",
        "Europe/Amsterdam",
        30,
    )
    assert "was changed from Europe/Amsterdam" in again.content.decode()


def test_nobody_sees_a_page_without_logging_in() -> None:
    answer = Client().get("/tenants/")

    assert answer.status_code == 302
    assert answer["location"] == "/account/login/?next=/tenants/"
