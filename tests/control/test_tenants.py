"""Tenants by REST: found, made, changed and archived, by external id."""

from __future__ import annotations

from budgets.models import Tenant
from tests.control.chain import told
from tests.control.rest import api, error, read

INITECH = {"external_id": "initech", "name": "Initech", "zone": "Asia/Tokyo"}


def test_a_tenant_is_made_once() -> None:
    root = api()

    made = root.post("tenants", INITECH)
    again = root.post("tenants", INITECH)

    assert made.status_code == 201
    assert read(made)["zone"] == "Asia/Tokyo"
    assert error(again) == (409, None)
    assert read(root.get("tenants/initech")) == read(made)


def test_put_makes_a_tenant_and_then_changes_nothing() -> None:
    root = api()
    wanted = {"name": "Initech", "retention_days": 30}

    first, second = root.put("tenants/initech", wanted), root.put("tenants/initech", wanted)

    assert (first.status_code, second.status_code) == (201, 200)
    assert read(first) == read(second)
    tenant = Tenant.objects.get(external_id="initech")
    assert [entry["action"] for entry in told(tenant.id)] == ["log.open", "tenant.create"]


def test_what_put_leaves_out_stays(acme: Tenant) -> None:
    read(api().put("tenants/acme", {"name": "Acme Limited"}))

    acme.refresh_from_db()
    assert (acme.name, acme.zone) == ("Acme Limited", "Europe/Amsterdam")


def test_a_change_is_in_the_chain_with_before_and_after(acme: Tenant) -> None:
    assert api().patch("tenants/acme", {"name": "Acme Limited"}).status_code == 200

    entry = told(acme.id)[-1]
    assert (entry["before_name"], entry["after_name"]) == ("Acme", "Acme Limited")
    assert entry["actor"].startswith("token:tga_")
    assert "before_zone" not in entry


def test_delete_archives_and_does_so_once(acme: Tenant) -> None:
    root = api()

    assert [root.delete("tenants/acme").status_code for _ in range(2)] == [204, 204]

    assert read(root.get("tenants/acme"))["is_active"] is False
    assert [entry["action"] for entry in told(acme.id)].count("tenant.update") == 1


def test_an_archived_tenant_can_be_made_by_put_and_comes_back_by_put() -> None:
    root = api()

    made = root.put("tenants/initech", {"name": "Initech", "is_active": False})
    back = root.put("tenants/initech", {"name": "Initech", "is_active": True})

    assert read(made)["is_active"] is False
    assert read(back)["is_active"] is True


def test_somebody_elses_tenant_is_as_absent_as_none(acme: Tenant, globex: Tenant) -> None:
    charlie = api(globex)

    answers = [
        charlie.get("tenants/acme"),
        charlie.put("tenants/acme", {"name": "Mine"}),
        charlie.put("tenants/never-made", {"name": "Mine"}),
        charlie.patch("tenants/acme", {"name": "Mine"}),
        charlie.delete("tenants/acme"),
    ]

    assert [error(answer) for answer in answers] == [(404, None)] * 5
    assert [row["external_id"] for row in read(charlie.get("tenants"))["results"]] == ["globex"]


def test_who_may_change_may_not_therefore_make() -> None:
    answer = api(None, "tenants:read", "tenants:write").put("tenants/initech", {"name": "Initech"})

    assert error(answer) == (403, None)


def test_pages_follow_one_another_without_gap_or_repeat() -> None:
    root = api()
    for number in range(5):
        root.post("tenants", {"external_id": f"t{number}", "name": f"T {number}"})

    first = read(root.get("tenants", limit=2))
    root.post("tenants", {"external_id": "late", "name": "Late"})
    second = read(root.client.get(first["next"], headers=root.script.headers))
    third = read(root.client.get(second["next"], headers=root.script.headers))

    rows = first["results"] + second["results"] + third["results"]
    assert [row["external_id"] for row in rows] == ["t4", "t3", "t2", "t1", "t0"]
    assert third["next"] is None


def test_tenants_are_found_by_words_and_state(acme: Tenant, globex: Tenant) -> None:
    root = api()
    root.delete("tenants/globex")

    by_word = read(root.get("tenants", q="CM"))["results"]
    by_state = read(root.get("tenants", is_active="false"))["results"]

    assert [row["external_id"] for row in by_word] == ["acme"]
    assert [row["external_id"] for row in by_state] == ["globex"]


def test_a_zone_that_is_none_is_named(acme: Tenant) -> None:
    assert error(api().patch("tenants/acme", {"zone": "Mars/Base"})) == (400, "zone")


def test_a_second_change_of_zone_has_to_wait(acme: Tenant) -> None:
    root = api()
    assert root.patch("tenants/acme", {"zone": "Asia/Tokyo"}).status_code == 200

    assert error(root.patch("tenants/acme", {"zone": "UTC"})) == (409, None)
