"""API keys in the console: made, shown once, changed, rotated and revoked by those who may."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from budgets.models import ApiKey, Budget, Tenant
from gateway_project import administration, vault
from gateway_project.roles import Role
from tests import people

NEW = {"tenant": "acme", "name": "batch", "allowed_models": "sim-*, fast", "last_day": "2030-01-31"}
SHOWN = re.compile(r'id="secret" value="(tg_[0-9A-Za-z]+)"')
PAYLOAD = "<img src=x onerror=alert(1)>"


@pytest.fixture
def key(acme: Tenant) -> ApiKey:
    return administration.create_key(people.ACTOR, acme, "nightly")[0]


def text_in(page: str) -> str:
    found = SHOWN.search(page)
    assert found is not None
    return found[1]


def test_a_new_key_is_shown_once_with_lines_that_call_this_host(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)

    answer = alice.post("/new/key/", {**NEW, "daily_limit": "2.50"}, headers={"host": "gate.test"})

    page = answer.content.decode()
    text = text_in(page)
    made = ApiKey.objects.get()
    assert made.digest == vault.digest(text)
    assert (made.allowed_models, made.requests_per_minute) == (["sim-*", "fast"], None)
    assert made.expires_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert Budget.objects.get(api_key=made).limit_nanos == 2_500_000_000
    assert "http://gate.test/v1/chat/completions" in page
    assert '"model": "fast"' in page
    assert "no-store" in answer["cache-control"]
    assert text not in alice.get("/keys/").content.decode()
    assert text not in alice.get(f"/keys/{made.id}/change/").content.decode()


def test_a_form_that_is_wrong_comes_back_with_the_reason(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)

    page = alice.post("/new/key/", {**NEW, "last_day": "soon", "daily_limit": "1e3"})

    assert "Enter a valid date" in page.content.decode()
    assert "is not an amount of dollars" in page.content.decode()
    assert not ApiKey.objects.exists()


def test_the_list_finds_by_tenant_state_and_words(key: ApiKey, globex: Tenant) -> None:
    administration.revoke_key(people.ACTOR, key)
    administration.create_key(people.ACTOR, globex, "daily")
    alice = people.client("alice", Role.OWNER)

    asked = ("?tenant=acme", "?state=active", "?q=night", f"?q={key.prefix}")
    pages = [alice.get(f"/keys/{query}").content.decode() for query in asked]

    assert ["nightly" in page for page in pages] == [True, False, True, True]
    assert ["daily" in page for page in pages] == [False, True, False, False]


def test_a_change_keeps_the_end_that_it_does_not_name(key: ApiKey) -> None:
    ends = datetime.now(UTC) + timedelta(hours=5)
    ApiKey.objects.update(expires_at=ends)
    alice = people.client("alice", Role.DEVELOPER, key.tenant)
    form = {"name": "hourly", "allowed_models": "", "requests_per_minute": "7"}

    alice.post(f"/keys/{key.id}/change/", {**form, "last_day": ends.date().isoformat()})

    key.refresh_from_db()
    assert (key.name, key.allowed_models, key.requests_per_minute) == ("hourly", [], 7)
    assert key.expires_at == ends


def test_a_rotated_key_shows_its_new_text_once_and_keeps_the_old_one_for_a_while(
    key: ApiKey,
) -> None:
    alice = people.client("alice", Role.OWNER)
    before = bytes(key.digest)

    answer = alice.post(f"/keys/{key.id}/rotate/", {"overlap": "3600"})

    text = text_in(answer.content.decode())
    key.refresh_from_db()
    assert bytes(key.digest) == vault.digest(text)
    assert bytes(key.previous_digest or b"") == before
    assert text not in alice.get("/keys/").content.decode()


def test_a_key_is_revoked_only_by_its_name(key: ApiKey) -> None:
    alice = people.client("alice", Role.OWNER)

    wrong = alice.post(f"/keys/{key.id}/revoke/", {"name": "another"})
    key.refresh_from_db()
    was_active = key.is_active
    right = alice.post(f"/keys/{key.id}/revoke/", {"name": "nightly"})

    key.refresh_from_db()
    assert "not the name of this key" in wrong.content.decode()
    assert (was_active, key.is_active) == (True, False)
    assert right["location"] == "/keys/"
    assert "is revoked" in alice.post(f"/keys/{key.id}/rotate/", {"overlap": "0"}).content.decode()


def test_a_viewer_sees_keys_and_no_way_to_change_them(key: ApiKey) -> None:
    bob = people.client("bob", Role.VIEWER, key.tenant)

    page = bob.get("/keys/").content.decode()

    assert "nightly" in page
    assert f"/keys/{key.id}/" not in page
    assert "/new/key/" not in page
    assert bob.post(f"/keys/{key.id}/revoke/", {"name": "nightly"}).status_code == 403


def test_somebody_elses_keys_do_not_exist(key: ApiKey, globex: Tenant) -> None:
    charlie = people.client("charlie", Role.OWNER, globex)

    assert "nightly" not in charlie.get("/keys/?tenant=acme").content.decode()
    assert charlie.get(f"/keys/{key.id}/change/").status_code == 404
    assert charlie.post(f"/keys/{key.id}/revoke/", {"name": "nightly"}).status_code == 404
    page = charlie.post("/new/key/", NEW).content.decode()
    assert "That choice is not one of the available choices" in page
    assert ApiKey.objects.count() == 1


def test_a_developer_cannot_smuggle_a_limit_in(acme: Tenant) -> None:
    dora = people.client("dora", Role.DEVELOPER, acme)

    answer = dora.post("/new/key/", {**NEW, "daily_limit": "5"})

    assert answer.status_code == 403
    assert not ApiKey.objects.exists()
    assert "daily_limit" not in dora.get("/new/key/").content.decode()


def test_markup_in_a_name_is_text(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)

    made = alice.post("/new/key/", {**NEW, "name": PAYLOAD}).content.decode()
    listed = alice.get("/keys/").content.decode()
    asked = alice.get(f"/keys/{ApiKey.objects.get().id}/revoke/").content.decode()

    assert PAYLOAD not in made + listed + asked
    assert "&lt;img src=x onerror=alert(1)&gt;" in listed


def test_a_form_without_its_token_is_refused(acme: Tenant) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.user("alice", Role.OWNER))

    assert browser.post("/new/key/", NEW).status_code == 403
    assert not ApiKey.objects.exists()
