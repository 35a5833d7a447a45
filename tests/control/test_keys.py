"""Keys by REST: the text of a key is shown once."""

from __future__ import annotations

from budgets.models import ApiKey, Tenant
from gateway_project import administration, vault
from tests import people
from tests.control.chain import told
from tests.control.rest import api, error, read


def test_the_text_of_a_key_is_in_the_answer_that_makes_it_and_nowhere_else(acme: Tenant) -> None:
    root = api()

    made = read(root.post("keys", {"tenant": "acme", "name": "first"}))

    assert vault.is_well_formed(made["key"])
    later = root.get(f"keys/{made['id']}").content + root.get("keys").content
    assert made["key"].encode() not in later
    assert made["key"] not in str(told(acme.id))
    assert ApiKey.objects.get(id=made["id"]).digest == vault.digest(made["key"])


def test_a_key_has_what_was_asked_for(acme: Tenant) -> None:
    wanted = {
        "tenant": "acme",
        "name": "batch",
        "allowed_models": ["gpt-*"],
        "requests_per_minute": None,
        "expires_at": "2030-01-01T00:00:00Z",
    }

    made = read(api().post("keys", wanted))

    assert {name: made[name] for name in wanted} == wanted


def test_patch_changes_what_is_given_and_tells_it(acme: Tenant) -> None:
    key, _ = administration.create_key(people.ACTOR, acme, "first", allowed_models=["a"])

    changed = read(api().patch(f"keys/{key.id}", {"requests_per_minute": 5}))

    assert (changed["requests_per_minute"], changed["allowed_models"]) == (5, ["a"])
    entry = told(acme.id)[-1]
    assert (entry["before_requests_per_minute"], entry["after_requests_per_minute"]) == (60, 5)


def test_a_rotated_key_keeps_its_row_and_gets_a_text_shown_once(acme: Tenant) -> None:
    key, before = administration.create_key(people.ACTOR, acme, "first")
    root = api()

    rotated = read(root.post(f"keys/{key.id}/rotate", {"overlap_seconds": 60}))

    assert rotated["id"] == key.id
    assert rotated["key"] != before
    assert rotated["previous_expires_at"] is not None
    assert rotated["key"].encode() not in root.get(f"keys/{key.id}").content


def test_an_overlap_is_at_most_thirty_days(acme: Tenant) -> None:
    key, _ = administration.create_key(people.ACTOR, acme, "first")

    answer = api().post(f"keys/{key.id}/rotate", {"overlap_seconds": 30 * 86_400 + 1})

    assert error(answer) == (400, "overlap_seconds")


def test_a_revoked_key_is_revoked_once_and_cannot_be_changed(acme: Tenant) -> None:
    key, _ = administration.create_key(people.ACTOR, acme, "first")
    root = api()

    states = [read(root.post(f"keys/{key.id}/revoke"))["is_active"] for _ in range(2)]

    assert states == [False, False]
    assert [entry["action"] for entry in told(acme.id)].count("key.revoke") == 1
    assert error(root.patch(f"keys/{key.id}", {"name": "again"})) == (409, None)
    assert error(root.post(f"keys/{key.id}/rotate")) == (409, None)


def test_somebody_elses_keys_do_not_exist(acme: Tenant, globex: Tenant) -> None:
    key, _ = administration.create_key(people.ACTOR, acme, "first")
    charlie = api(globex)

    answers = [
        charlie.get(f"keys/{key.id}"),
        charlie.patch(f"keys/{key.id}", {"name": "mine"}),
        charlie.post(f"keys/{key.id}/rotate"),
        charlie.post(f"keys/{key.id}/revoke"),
        charlie.put(f"keys/{key.id}/budgets/day", {"limit": "1"}),
        charlie.post("keys", {"tenant": "acme", "name": "mine"}),
        charlie.get("budgets", key=key.id),
    ]

    assert [error(answer)[0] for answer in answers] == [404] * 7
    assert read(charlie.get("keys", tenant="acme"))["results"] == []


def test_who_may_read_keys_may_not_therefore_make_them(acme: Tenant) -> None:
    answer = api(acme, "keys:read").post("keys", {"tenant": "acme", "name": "mine"})

    assert error(answer) == (403, None)


def test_keys_are_found_by_tenant_state_and_words(acme: Tenant, globex: Tenant) -> None:
    administration.create_key(people.ACTOR, acme, "first")
    second, _ = administration.create_key(people.ACTOR, acme, "second")
    administration.create_key(people.ACTOR, globex, "second")
    root = api()

    found = read(root.get("keys", tenant="acme", is_active="true", q="sec"))["results"]
    by_prefix = read(root.get("keys", q=second.prefix))["results"]

    assert [row["id"] for row in found] == [second.id]
    assert [row["id"] for row in by_prefix] == [second.id]
