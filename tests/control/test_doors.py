"""Every endpoint, from the document itself: no token, no scope, and bodies that say too much."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from budgets.models import Tenant
from gateway_project import administration
from gateway_project.models import LoggedCall, Membership
from gateway_project.roles import Role
from tests import people
from tests.control.rest import Api, api, document, error, read

DOCUMENT = document()
ENDPOINTS = [
    (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
]
WRITES = [
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method in {"post", "put", "patch"}
]
ASSIGNED = {
    "is_active": True,
    "tenant": "globex",
    "tenant_id": 1,
    "spent_nanos": 0,
    "spent": "0",
    "role": "owner",
    "id": 1,
    "created_at": "2026-01-01T00:00:00Z",
    "version": 1,
    "digest": "x",
    "external_id": "other",
}
GOOD: dict[str, dict[str, Any]] = {
    "POST /api/tenants": {"external_id": "initech", "name": "Initech"},
    "PUT /api/tenants/{external_id}": {"name": "Acme"},
    "POST /api/keys": {"tenant": "acme", "name": "first"},
    "POST /api/members": {"username": "bob", "tenant": None, "role": "viewer"},
    "POST /api/tokens": {"name": "ci", "tenant": None, "scopes": ["keys:read"]},
    "POST /api/prices": {"provider": "simulator", "model": "m", "rates": {"input_mtok": "1"}},
    "PUT /api/routes/{name}": {"targets": [{"provider": "simulator", "model": "m"}]},
    "PUT /api/credentials/{name}": {"provider": "simulator", "secret": "s"},
}
LIMIT = {"limit": "1"}
BODIES = [
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b"1",
    b"\xff\xfe",
    b'{"name": NaN}',
    b"[" * 100_000,
    b'{"a":' * 100 + b"1" + b"}" * 100,
    b'{"name": "\\ud800"}',
    b'{"name": "a\\u0000b", "limit": "\\u0000"}',
    b'{"name": 1e999, "limit_nanos": 1' + b"0" * 5_000 + b"}",
]


@pytest.fixture
def ids(acme: Tenant) -> dict[str, object]:
    """One of everything that a path can name; numbers by the noun before them in the path."""
    key, _ = administration.create_key(people.ACTOR, acme, "first")
    budget = administration.set_budget(people.ACTOR, acme, "day", 10**9)
    administration.set_route(people.ACTOR, "known", [("simulator", "sim-echo", None)])
    administration.set_credential(
        people.ACTOR, "known", "simulator", base_url="http://127.0.0.1:9/v1", secret="s"
    )
    price = administration.override_price(people.ACTOR, "simulator", "m", {"input_mtok": "1"}, None)
    token, _ = administration.create_token(people.ACTOR, "first", acme, ["keys:read"])
    ann = User.objects.create(username="ann")
    member = Membership.objects.create(user=ann, tenant=acme, role=Role.VIEWER)
    LoggedCall.objects.create(
        call="known",
        tenant_id=acme.id,
        key_id=key.id,
        status=200,
        is_stream=False,
        opened_us=1,
        milliseconds=1,
        count=1,
    )
    numbers = {
        "keys": key.id,
        "budgets": budget.id,
        "prices": price.id,
        "members": member.id,
        "tokens": token.id,
    }
    return {
        **numbers,
        "external_id": "acme",
        "name": "known",
        "call": "known",
        "period": "day",
    }


def named(path: str, ids: dict[str, object]) -> str:
    """The path with a row of its own noun in it."""
    return path.format(**ids, id=ids.get(path.split("/")[2], ""))


def ask(root: Api, method: str, path: str, ids: dict[str, object], body: Any = None) -> Any:
    return root.send(method, named(path, ids).removeprefix("/api/"), body)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_without_a_token_there_is_nothing(ids: dict[str, object], method: str, path: str) -> None:
    nobody = Client()

    silent = nobody.generic(method, named(path, ids))
    wrong = nobody.generic(method, named(path, ids), headers={"authorization": "Bearer tga_x"})

    assert (error(silent), error(wrong)) == ((401, None), (401, None))
    assert silent["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"), [each for each in ENDPOINTS if each[1] != "/api/whoami"]
)
def test_a_token_without_the_scope_is_refused(
    ids: dict[str, object], method: str, path: str
) -> None:
    """It sees every tenant, by a scope that no endpoint asks for alone."""
    scope = "prices:read" if "/reports" in path or "/prices" not in path else "routes:read"

    answer = ask(api(None, scope), method, path, ids, {})

    assert (answer.status_code, read(answer)["error"]["code"]) in {
        (403, "forbidden"),
        (200, None),
    }


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_field_is_taken_that_the_document_does_not_name(
    ids: dict[str, object], method: str, path: str
) -> None:
    content = DOCUMENT["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    named = str(content.get("application/json")).rpartition("/")[2].rstrip("'}")
    known = DOCUMENT["components"]["schemas"].get(named, {}).get("properties", {})
    good = GOOD.get(f"{method} {path}", LIMIT if "budgets" in path else {})
    root = api()

    answers = {
        field: error(ask(root, method, path, ids, {**good, field: value}))
        for field, value in ASSIGNED.items()
        if field not in known
    }

    assert len(answers) >= len(ASSIGNED) - 3
    assert answers == {field: (400, field) for field in answers}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_parameter_that_is_unknown_is_refused(
    ids: dict[str, object], method: str, path: str
) -> None:
    answer = ask(api(), method, f"{path}?surprise=1", ids)

    assert error(answer) == (400, "surprise")


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_that_is_none_is_refused(ids: dict[str, object], method: str, path: str) -> None:
    root = api()

    answers = [error(ask(root, method, path, ids, body))[0] for body in BODIES]

    assert answers == [400] * len(BODIES)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_of_another_kind_is_refused(ids: dict[str, object], method: str, path: str) -> None:
    root = api()

    answer = root.client.generic(
        method,
        named(path, ids),
        b"name=x",
        content_type="text/plain",
        headers=root.script.headers,
    )

    assert error(answer) == (415, None)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_what_cannot_be_there_is_not_there(method: str, path: str) -> None:
    """A name with a null byte, and a number that no row can have."""
    parts = {"external_id": "a%00b", "id": 10**30, "name": "a%00b", "call": "a%00b"}
    root = api()

    answer = root.send(method, path.removeprefix("/api/").format(**parts, period="day"), {})

    assert "{" not in path or error(answer)[0] == 404


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH"])
def test_a_method_that_is_not_there_is_refused(method: str) -> None:
    answer = api().send(method, "whoami")

    assert error(answer) == (405, None)
    assert "GET" in answer["allow"]


def test_a_path_that_is_not_there_answers_in_the_same_shape() -> None:
    assert error(api().get("never-made")) == (404, None)


def test_every_answer_is_json_whatever_is_wanted() -> None:
    root = api()
    headers = {**root.script.headers, "accept": "text/html"}

    assert root.client.get("/api/whoami", headers=headers)["content-type"] == "application/json"


def test_an_expired_or_revoked_token_is_refused() -> None:
    root = api()
    token = read(root.get("tokens"))["results"][0]
    assert root.delete(f"tokens/{token['id']}").status_code == 204

    assert error(root.get("whoami")) == (401, None)


def test_a_session_may_read_and_needs_the_forms_token_to_change(acme: Tenant) -> None:
    people.user("alice", Role.OWNER)
    browser = Client(enforce_csrf_checks=True)
    assert browser.login(username="alice", password="alice-and-a-long-word")

    read_answer = browser.get("/api/tenants/acme")
    changed = browser.delete("/api/tenants/acme")

    assert read_answer.status_code == 200
    assert error(changed) == (403, None)
    acme.refresh_from_db()
    assert acme.is_active


def test_the_document_and_its_page_are_for_those_who_are_let_in() -> None:
    root, alice = api(), people.client("alice", Role.VIEWER)

    described = root.get("schema/")
    page = alice.get("/api/docs/")
    script = alice.get("/api/docs/?script=")

    assert read(described)["info"]["title"] == "Tollgate management API"
    assert read(described)["openapi"].startswith("3.1")
    assert b"openapi: 3.1" in root.get("schema/", format="yaml").content
    assert error(Client().get("/api/schema/")) == (401, None)
    assert Client().get("/api/docs/")["location"].startswith("/account/login/")
    assert b"/static/drf_spectacular_sidecar/swagger-ui-dist/" in page.content
    assert b"<script>" not in page.content
    assert "style-src 'self' 'unsafe-inline'" in page["content-security-policy"]
    assert "script-src 'self'" in page["content-security-policy"].split("; ")
    assert script["content-type"].startswith("application/javascript")
