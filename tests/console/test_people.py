"""People and tokens in the console: nobody hands out, or takes over, what they have not got."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.test import Client

from audit.models import Entry
from budgets.models import Tenant
from gateway_project import access, administration
from gateway_project.models import AdminToken, Membership
from gateway_project.roles import Role
from tests import people

SHOWN = re.compile(r'id="secret" value="([^"]+)"')


def shown_in(page: str) -> str:
    found = SHOWN.search(page)
    assert found is not None
    return found[1]


def membership(name: str) -> Membership:
    return Membership.objects.get(user__username=name)


def test_a_new_member_gets_a_password_that_is_shown_once_and_works(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    form = {"username": "bob", "tenant": "acme", "role": "finance"}

    answer = alice.post("/new/member/", form)

    password = shown_in(answer.content.decode())
    assert "no-store" in answer["cache-control"]
    assert Client().login(username="bob", password=password)
    assert password not in alice.get("/people/").content.decode()
    assert membership("bob").role == "finance"


def test_an_owner_of_a_tenant_gives_roles_in_it_and_nowhere_else(
    acme: Tenant, globex: Tenant
) -> None:
    olga = people.client("olga", Role.OWNER, acme)
    form = {"username": "bob", "role": "viewer"}

    here = olga.post("/new/member/", {**form, "tenant": "acme"})
    there = olga.post("/new/member/", {**form, "tenant": "globex"})
    everywhere = olga.post("/new/member/", form)

    assert here.status_code == 200
    assert "not one of the available choices" in there.content.decode()
    assert "This field is required" in everywhere.content.decode()
    assert Membership.objects.filter(user__username="bob").count() == 1


def test_a_removed_member_has_no_say_from_the_next_click_on(acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)
    alice = people.client("alice", Role.OWNER)

    asked = alice.get(f"/people/{membership('bob').id}/unset/").content.decode()
    alice.post(f"/people/{membership('bob').id}/unset/")

    assert "no longer viewer in Acme" in asked
    assert bob.get("/tenants/").status_code == 403


def test_the_last_owner_of_all_tenants_stays(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    demotion = {"username": "alice", "tenant": "", "role": "viewer"}

    removed = alice.post(f"/people/{membership('alice').id}/unset/")
    demoted = alice.post("/new/member/", demotion)

    assert "the last owner of all tenants" in removed.content.decode()
    assert "the last owner of all tenants" in demoted.content.decode()
    assert membership("alice").role == "owner"
    assert b"member.unset" not in b"".join(map(bytes, Entry.objects.values_list("body", flat=True)))


def test_one_of_two_owners_may_go() -> None:
    alice = people.client("alice", Role.OWNER)
    people.user("second", Role.OWNER)

    alice.post(f"/people/{membership('second').id}/unset/")

    assert Membership.objects.count() == 1


def test_a_reset_password_is_shown_once_and_ends_the_sessions(acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)
    olga = people.client("olga", Role.OWNER, acme)

    asked = olga.get(f"/people/{membership('bob').id}/password/").content.decode()
    answer = olga.post(f"/people/{membership('bob').id}/password/")

    assert "end at once" in asked
    assert Client().login(username="bob", password=shown_in(answer.content.decode()))
    assert bob.get("/tenants/").status_code == 302


def test_who_has_more_than_the_owner_of_a_tenant_is_not_taken_over(
    acme: Tenant, globex: Tenant
) -> None:
    bob = people.user("bob", Role.VIEWER, acme)
    Membership.objects.create(user=bob, tenant=globex, role="viewer")
    olga = people.client("olga", Role.OWNER, acme)
    here = Membership.objects.get(user=bob, tenant=acme)
    before = User.objects.get(username="bob").password

    page = olga.get("/people/").content.decode()
    answer = olga.post(f"/people/{here.id}/password/")

    assert f"/people/{here.id}/password/" not in page
    assert answer.status_code == 403
    assert User.objects.get(username="bob").password == before


def test_roles_in_all_tenants_do_not_exist_for_the_owner_of_one(acme: Tenant) -> None:
    people.user("root", Role.OWNER)
    olga = people.client("olga", Role.OWNER, acme)

    page = olga.get("/people/").content.decode()

    assert "root" not in page
    assert olga.post(f"/people/{membership('root').id}/unset/").status_code == 404
    assert olga.post(f"/people/{membership('root').id}/password/").status_code == 404


def test_an_admin_token_is_shown_once_and_works(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    form = {"name": "ci", "tenant": "acme", "scopes": ["keys:read", "keys:write"]}

    answer = alice.post("/new/token/", form)

    text = shown_in(answer.content.decode())
    actor = access.of_token(text)
    assert actor is not None
    assert actor.may("keys:write", acme.id)
    assert not actor.may("budgets:write", acme.id)
    assert text not in alice.get("/people/").content.decode()


def test_a_token_of_one_tenant_has_no_say_over_the_installation(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)

    wide = alice.post("/new/token/", {"name": "ci", "tenant": "acme", "scopes": ["routes:write"]})
    none = alice.post("/new/token/", {"name": "ci", "tenant": "acme"})

    assert "is of the whole installation" in wide.content.decode()
    assert "Choose at least one" in none.content.decode()
    assert not AdminToken.objects.exists()


def test_a_revoked_token_is_refused(acme: Tenant) -> None:
    token, text = administration.create_token(people.ACTOR, "ci", acme, ["keys:read"])
    olga = people.client("olga", Role.OWNER, acme)

    asked = olga.get(f"/tokens/{token.id}/revoke/").content.decode()
    olga.post(f"/tokens/{token.id}/revoke/")

    assert token.prefix in asked
    assert access.of_token(text) is None


def test_an_auditor_reads_and_changes_nothing(acme: Tenant) -> None:
    token, _ = administration.create_token(people.ACTOR, "ci", acme, ["keys:read"])
    paula = people.client("paula", Role.AUDITOR, acme)

    page = paula.get("/people/").content.decode()

    assert token.prefix in page
    assert "/new/member/" not in page
    assert f"/tokens/{token.id}/revoke/" not in page
    assert paula.post(f"/tokens/{token.id}/revoke/").status_code == 403
    assert people.client("vic", Role.VIEWER, acme).get("/people/").status_code == 403


def test_somebody_elses_people_and_tokens_do_not_exist(acme: Tenant, globex: Tenant) -> None:
    token, _ = administration.create_token(people.ACTOR, "ci", acme, ["keys:read"])
    people.user("bob", Role.VIEWER, acme)
    charlie = people.client("charlie", Role.OWNER, globex)

    page = charlie.get("/people/").content.decode()

    assert "bob" not in page
    assert token.prefix not in page
    assert charlie.post(f"/people/{membership('bob').id}/unset/").status_code == 404
    assert charlie.post(f"/tokens/{token.id}/revoke/").status_code == 404


def test_markup_in_names_is_text(acme: Tenant) -> None:
    administration.create_token(people.ACTOR, "<img src=x onerror=alert(1)>", None, ["keys:read"])
    people.user("<img src=x onerror=alert(1)>", Role.VIEWER, acme)

    page = people.client("alice", Role.OWNER).get("/people/").content.decode()

    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 2
