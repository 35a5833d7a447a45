"""Members and tokens by REST: nobody hands out what they have not got."""

from __future__ import annotations

import pytest

from budgets.models import Tenant
from gateway_project import vault
from gateway_project.models import Membership
from gateway_project.roles import PERMISSIONS, Role
from tests.control.chain import told
from tests.control.rest import Api, api, error, read


def of_role(role: Role, tenant: Tenant | None = None) -> Api:
    """A token with the permissions of a role."""
    return api(tenant, *PERMISSIONS[role])


def test_a_new_person_gets_a_password_once(acme: Tenant) -> None:
    root = api()
    wanted = {"username": "bob", "tenant": "acme", "role": "viewer"}

    made, again = read(root.post("members", wanted)), read(root.post("members", wanted))

    assert len(made["password"]) >= 20
    assert again == {**made, "password": None}
    assert made["password"].encode() not in root.get("members").content
    assert made["password"] not in str(told(acme.id))


def test_a_changed_role_is_told_with_before_and_after(acme: Tenant) -> None:
    root = api()
    root.post("members", {"username": "bob", "tenant": "acme", "role": "viewer"})

    root.post("members", {"username": "bob", "tenant": "acme", "role": "owner"})

    entry = told(acme.id)[-1]
    assert (entry["before_role"], entry["after_role"]) == ("viewer", "owner")


def test_a_member_is_removed(acme: Tenant) -> None:
    root = api()
    made = read(root.post("members", {"username": "bob", "tenant": "acme", "role": "viewer"}))

    assert root.delete(f"members/{made['id']}").status_code == 204

    assert not Membership.objects.exists()
    assert error(root.delete(f"members/{made['id']}")) == (404, None)


def test_nobody_gives_what_they_have_not_got(acme: Tenant) -> None:
    limited = api(acme, *PERMISSIONS[Role.VIEWER], "members:write", "tokens:write")

    owner = limited.post("members", {"username": "me", "tenant": "acme", "role": "owner"})
    everywhere = limited.post("members", {"username": "me", "tenant": None, "role": "viewer"})
    viewer = limited.post("members", {"username": "me", "tenant": "acme", "role": "viewer"})
    scope = limited.post("tokens", {"name": "x", "tenant": "acme", "scopes": ["keys:write"]})
    wide = limited.post("tokens", {"name": "x", "tenant": None, "scopes": ["keys:read"]})

    refused = [error(answer) for answer in (owner, everywhere, scope, wide)]
    assert refused == [(403, None)] * 4
    assert viewer.status_code == 201


def test_the_text_of_a_token_is_shown_once_and_works_until_revoked(acme: Tenant) -> None:
    root = api()

    made = read(root.post("tokens", {"name": "ci", "tenant": "acme", "scopes": ["keys:read"]}))

    assert vault.is_well_formed(made["token"], vault.TOKEN_START)
    assert made["token"].encode() not in root.get("tokens").content
    assert made["token"] not in str(told(acme.id))
    headers = {"authorization": f"Bearer {made['token']}"}
    assert root.client.get("/api/keys", headers=headers).status_code == 200
    assert root.delete(f"tokens/{made['id']}").status_code == 204
    assert root.client.get("/api/keys", headers=headers).status_code == 401


@pytest.mark.parametrize("scopes", [[], ["everything"], ["keys:read", 5], "keys:read", None])
def test_scopes_that_are_none_are_refused(scopes: object) -> None:
    status, param = error(api().post("tokens", {"name": "x", "tenant": None, "scopes": scopes}))

    assert (status, str(param).split(".")[0]) == (400, "scopes")


def test_a_token_of_a_tenant_has_no_say_over_the_installation(acme: Tenant) -> None:
    wanted = {"name": "x", "tenant": "acme", "scopes": ["routes:write"]}

    assert error(api().post("tokens", wanted)) == (400, "scopes")


def test_somebody_elses_people_do_not_exist(acme: Tenant, globex: Tenant) -> None:
    root, charlie = api(), api(globex)
    member = read(root.post("members", {"username": "bob", "tenant": "acme", "role": "viewer"}))
    token = read(root.post("tokens", {"name": "x", "tenant": "acme", "scopes": ["keys:read"]}))

    answers = [
        charlie.delete(f"members/{member['id']}"),
        charlie.delete(f"tokens/{token['id']}"),
        charlie.post("members", {"username": "me", "tenant": "acme", "role": "viewer"}),
        charlie.post("tokens", {"name": "x", "tenant": "acme", "scopes": ["keys:read"]}),
    ]

    assert [error(answer) for answer in answers] == [(404, None)] * 4
    assert read(charlie.get("members"))["results"] == []
    names = [row["tenant"] for row in read(charlie.get("tokens"))["results"]]
    assert names == ["globex"]


def test_whoever_asks_is_told_who_they_are(acme: Tenant) -> None:
    shown = read(api(acme, "keys:read", "keys:write").get("whoami"))

    assert shown["name"].startswith("token:tga_")
    assert shown["grants"] == [{"tenant": "acme", "permissions": ["keys:read", "keys:write"]}]
