"""The audit chain by REST: read as it was hashed, and checked."""

from __future__ import annotations

import hashlib

from budgets.models import Tenant
from gateway_project import administration
from tests import people
from tests.control.rest import api, error, read


def test_a_chain_is_read_newest_first_page_by_page(acme: Tenant) -> None:
    root = api()
    root.put("tenants/acme/budgets/day", {"limit": "1"})

    first = read(root.get("audit/entries", tenant="acme", limit=2))
    second = read(root.client.get(first["next"], headers=root.script.headers))

    actions = [row["body"]["action"] for row in first["results"] + second["results"]]
    assert actions == ["budget.set", "tenant.create", "log.open"]
    assert second["next"] is None
    assert len(bytes.fromhex(first["results"][0]["hash"])) == hashlib.sha256().digest_size


def test_entries_are_found_by_actor_and_action(acme: Tenant) -> None:
    root = api()
    root.put("tenants/acme/budgets/day", {"limit": "1"})

    by_actor = read(root.get("audit/entries", tenant="acme", actor=people.ACTOR))["results"]
    by_both = read(
        root.get("audit/entries", tenant="acme", actor=people.ACTOR, action="budget.set")
    )["results"]

    assert [row["body"]["action"] for row in by_actor] == ["tenant.create"]
    assert by_both == []


def test_the_installations_chain_is_for_those_who_may_audit_all(acme: Tenant) -> None:
    administration.set_route(people.ACTOR, "fast", [("simulator", "sim-echo", None)])

    rows = read(api().get("audit/entries", tenant="_system", action="route.set"))["results"]
    answer = api(acme).get("audit/entries", tenant="_system")

    assert [row["body"]["object"] for row in rows] == ["route:fast"]
    assert error(answer) == (403, None)


def test_a_chain_has_to_be_named() -> None:
    assert error(api().get("audit/entries")) == (400, "tenant")


def test_all_chains_are_checked_or_those_that_one_may_see(acme: Tenant, globex: Tenant) -> None:
    everything = read(api().post("audit/verify", {}))
    own = read(api(acme).post("audit/verify"))
    one = read(api().post("audit/verify", {"tenant": "globex"}))

    assert everything["is_intact"] is True
    assert [each["tenant"] for each in everything["chains"]] == ["_system", "acme", "globex"]
    assert [each["tenant"] for each in own["chains"]] == ["acme"]
    assert one["chains"] == [
        {
            "tenant": "globex",
            "entries": 2,
            "is_intact": True,
            "first_bad_seq": None,
            "reason": None,
        }
    ]


def test_somebody_elses_chain_does_not_exist(acme: Tenant, globex: Tenant) -> None:
    charlie = api(globex)

    assert error(charlie.get("audit/entries", tenant="acme")) == (404, None)
    assert error(charlie.post("audit/verify", {"tenant": "acme"})) == (404, None)
