"""What admins do, by the functions that console, REST and commands share."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.models import Entry
from budgets.models import ApiKey, Budget, Tenant, Window
from gateway_project import access, administration, vault, verification
from gateway_project.administration.keys import Revoked
from gateway_project.administration.routing import InUse, SecretNeeded
from gateway_project.directory import Directory
from gateway_project.models import Credential, Membership, Price
from gateway_project.price_list import without_price
from gateway_project.roles import Role
from tests.people import ACTOR

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def last_entry(tenant_id: int) -> dict[str, Any]:
    body = Entry.objects.filter(tenant=tenant_id).order_by("-seq").values_list("body", flat=True)
    entry: dict[str, Any] = json.loads(bytes(body[0]))
    return entry


def snapshot() -> Directory:
    directory = Directory()
    directory.refresh()
    return directory


def test_a_rotated_key_stays_the_same_row_and_both_texts_work_until_the_overlap_ends(
    acme: Tenant,
) -> None:
    key, before = administration.create_key(ACTOR, acme, "app")

    rotated, after = administration.rotate_key(ACTOR, key, timedelta(hours=1), NOW)

    rows = snapshot().keys
    assert rotated.id == key.id
    assert rows[vault.digest(after)].expires_at is None
    assert rows[vault.digest(before)].expires_at == NOW + timedelta(hours=1)
    entry = last_entry(acme.id)
    assert (entry["action"], entry["actor"]) == ("key.rotate", ACTOR)
    assert entry["before_prefix"] == before[: vault.PREFIX_LENGTH]


def test_a_key_rotated_without_overlap_ends_the_text_before_at_once(acme: Tenant) -> None:
    key, before = administration.create_key(ACTOR, acme, "app")
    directory = snapshot()

    administration.rotate_key(ACTOR, key, timedelta(0), NOW)
    directory.refresh()

    assert vault.digest(before) not in directory.keys


def test_of_three_texts_the_oldest_ends(acme: Tenant) -> None:
    key, first = administration.create_key(ACTOR, acme, "app")
    key, second = administration.rotate_key(ACTOR, key, timedelta(days=1), NOW)

    administration.rotate_key(ACTOR, key, timedelta(days=1), NOW)

    rows = snapshot().keys
    assert vault.digest(first) not in rows
    assert vault.digest(second) in rows


def test_a_revoked_key_cannot_be_rotated_or_changed(acme: Tenant) -> None:
    key, _ = administration.create_key(ACTOR, acme, "app")
    administration.revoke_key(ACTOR, key)

    with pytest.raises(Revoked):
        administration.rotate_key(ACTOR, key, timedelta(0), NOW)
    with pytest.raises(Revoked):
        administration.update_key(ACTOR, key, {"name": "x"})


def test_a_change_tells_only_what_differs_before_and_after(acme: Tenant) -> None:
    administration.update_tenant(ACTOR, acme, name="Acme Corporation", retention_days=400)

    entry = last_entry(acme.id)
    assert (entry["before_name"], entry["after_name"]) == ("Acme", "Acme Corporation")
    assert "before_retention_days" not in entry
    assert "after_zone" not in entry


def test_a_change_of_nothing_is_no_entry(acme: Tenant) -> None:
    before = last_entry(acme.id)

    administration.update_tenant(ACTOR, acme, name="Acme")

    assert last_entry(acme.id) == before


def test_setting_what_is_set_already_is_no_entry(acme: Tenant) -> None:
    targets = [("simulator", "sim-echo", None)]
    administration.set_budget(ACTOR, acme, "day", 5)
    administration.set_route(ACTOR, "fast", targets)
    before = Entry.objects.count()

    administration.set_budget(ACTOR, acme, "day", 5)
    administration.set_route(ACTOR, "fast", targets)

    assert Entry.objects.count() == before


def test_a_limit_that_was_archived_holds_no_more_and_can_be_set_again(acme: Tenant) -> None:
    budget = administration.set_budget(ACTOR, acme, "day", 5)
    administration.archive_budget(ACTOR, budget)
    assert snapshot().budgets.get(acme.id, {}) == {}

    again = administration.set_budget(ACTOR, acme, "day", 7)

    assert again.id == budget.id
    assert list(snapshot().budgets[acme.id]) == [budget.id]
    assert Budget.objects.get(id=budget.id).limit_nanos == 7


def test_a_lowered_limit_shows_what_is_over_in_the_window_that_is_open(acme: Tenant) -> None:
    budget = administration.set_budget(ACTOR, acme, "day", 100)
    far = 2**60
    Window.objects.create(
        budget=budget,
        subject="",
        starts_us=0,
        ends_us=far,
        limit_nanos=100,
        held_nanos=0,
        spent_nanos=60,
        over_nanos=0,
    )

    administration.set_budget(ACTOR, acme, "day", 50)

    window = Window.objects.get(budget=budget)
    assert (window.limit_nanos, window.over_nanos) == (50, 10)


def test_a_credential_keeps_its_secret_only_where_it_stays() -> None:
    place = {"base_url": "https://models.example/v1"}
    credential = administration.set_credential(ACTOR, "own", "simulator", secret="s1", **place)

    kept = administration.set_credential(ACTOR, "own", "simulator", secret=None, **place)

    assert vault.unseal(bytes(kept.sealed_key)) == "s1"
    with pytest.raises(SecretNeeded):
        administration.set_credential(
            ACTOR, "own", "simulator", base_url="https://evil.example/v1", secret=None
        )
    assert "s1" not in json.dumps(last_entry(administration.SYSTEM))
    assert Credential.objects.get(id=credential.id).base_url == place["base_url"]


def test_a_credential_in_use_cannot_be_archived_and_an_archived_one_keeps_no_secret() -> None:
    place = {"base_url": "https://models.example/v1", "secret": "s1"}
    credential = administration.set_credential(ACTOR, "own", "simulator", **place)
    route = administration.set_route(ACTOR, "fast", [("simulator", "sim-echo", credential)])
    with pytest.raises(InUse, match="fast"):
        administration.archive_credential(ACTOR, credential)

    administration.archive_route(ACTOR, route)
    administration.archive_credential(ACTOR, credential)

    credential.refresh_from_db()
    assert bytes(credential.sealed_key) == b""
    assert snapshot().routes == {}


def test_an_override_holds_over_the_list_until_it_is_ended() -> None:
    administration.sync_prices(ACTOR, NOW)
    listed = Price.objects.get(provider="simulator", model="sim-echo", valid_to=None)

    rates = {"input_mtok": "9", "output_mtok": "9"}
    own = administration.override_price(ACTOR, "simulator", "sim-echo", rates, None, NOW)
    administration.sync_prices(ACTOR, NOW + timedelta(days=1))

    found = snapshot().price("simulator", "sim-echo")
    assert found is not None
    assert found.id == own.id
    entry = last_entry(administration.SYSTEM)
    assert entry["after_rates"] == "input_mtok=9, output_mtok=9"

    restored = administration.restore_price(ACTOR, own, NOW + timedelta(days=2))

    assert restored is not None
    assert restored.rates == listed.rates
    history = Price.objects.filter(provider="simulator", model="sim-echo")
    assert history.count() == 3, "dated rows are added and closed, never rewritten"


def test_one_accounts_prices_hold_by_its_other_api_until_it_has_its_own() -> None:
    administration.sync_prices(ACTOR, NOW)
    target = ("openai-responses", "gpt-4o")
    before = snapshot()

    assert before.price(*target) == before.price("openai", "gpt-4o") is not None
    assert without_price([target, ("openai-responses", "no-such-model")]) == {
        ("openai-responses", "no-such-model")
    }

    own = administration.override_price(ACTOR, *target, {"input_mtok": "9"}, None, NOW)

    found = snapshot().price(*target)
    assert found is not None
    assert found.id == own.id


def test_a_rate_that_is_no_price_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a price"):
        administration.override_price(ACTOR, "simulator", "x", {"input_mtok": "-1"}, None, NOW)


def test_a_token_works_until_it_is_revoked_or_expires(acme: Tenant) -> None:
    token, text = administration.create_token(ACTOR, "ci", acme, ["keys:read", "routes:write"])
    actor = access.of_token(text)

    assert actor is not None
    assert actor.may("keys:read", acme.id)
    assert not actor.may("keys:read", acme.id + 1)
    assert not actor.may("routes:write"), "a token of one tenant has no say over the installation"

    administration.revoke_token(ACTOR, token)
    assert access.of_token(text) is None

    _, short = administration.create_token(ACTOR, "x", None, ["keys:read"], NOW)
    assert access.of_token(short, NOW - timedelta(seconds=1)) is not None
    assert access.of_token(short, NOW) is None


def test_an_api_key_is_no_admin_token_and_an_admin_token_no_key(acme: Tenant) -> None:
    _, key = administration.create_key(ACTOR, acme, "app")
    _, token = administration.create_token(ACTOR, "ci", None, ["keys:read"])

    assert access.of_token(key) is None
    assert not vault.is_well_formed(token)


def test_a_new_person_gets_a_password_once_and_a_role_holds_from_the_next_request(
    acme: Tenant,
) -> None:
    membership, password = administration.set_member(ACTOR, "bob", acme, Role.VIEWER)
    bob = membership.user
    assert password is not None
    assert bob.check_password(password)
    assert not access.of_user(bob).may("keys:write", acme.id)

    _, again = administration.set_member(ACTOR, "bob", acme, Role.DEVELOPER)

    assert again is None
    assert access.of_user(bob).may("keys:write", acme.id)
    administration.unset_member(ACTOR, Membership.objects.get(user=bob))
    assert access.of_user(User.objects.get(id=bob.id)).grants == ()


def test_nobody_can_give_what_they_have_not_got(acme: Tenant, globex: Tenant) -> None:
    from gateway_project.roles import of_role

    administration.set_member(ACTOR, "carol", acme, Role.OWNER)
    carol = access.of_user(User.objects.get(username="carol"))

    assert carol.covers(of_role(Role.OWNER, acme.id))
    assert not carol.covers(of_role(Role.VIEWER, globex.id))
    assert not carol.covers(of_role(Role.VIEWER, None))


def test_every_change_is_in_a_chain_that_is_intact(acme: Tenant) -> None:
    key, _ = administration.create_key(ACTOR, acme, "app", expires_at=NOW)
    administration.set_budget(ACTOR, acme, "month", 10**17, key=key)
    administration.set_budget(ACTOR, acme, "day", 1, each_key=True)
    administration.create_token(ACTOR, "ci", acme, ["keys:read"])
    administration.set_member(ACTOR, "bob", acme, Role.FINANCE)

    report = verification.verify()

    assert report.is_intact
    assert report.entries[acme.id] == 7
    assert ApiKey.objects.get(id=key.id).budget_set.count() == 1
