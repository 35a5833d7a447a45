"""Who gets in where: every route x method x role, on own and on foreign ground.

The rows below are written by hand, from what the product promises; the routes come from the URL
list itself, so that a new one without a row fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from budgets.models import Tenant
from gateway_project import administration
from gateway_project.models import LoggedCall, Membership
from gateway_project.roles import OF_TENANT, OPEN_TO_MEMBERS, PERMISSIONS, Role
from tests import people

LET_IN = {200, 201, 202, 204, 302, 400, 409, 415, 422}
ALLOWED, REFUSED, ABSENT = "allowed", "refused", "absent"
READ, WRITE = "read", "write"


@dataclass(frozen=True)
class Row:
    """`names` is the kind of row in the path: a tenant's, the installation's, or none."""

    methods: Mapping[str, str]
    names: str = ""

    @property
    def is_of_tenant(self) -> bool:
        return self.names in {"tenant", "key", "budget", "member", "token", "call", "entry"}


def page(permission: str, names: str = "") -> Row:
    return Row({"get": permission}, names)


def form(permission: str, names: str = "") -> Row:
    return Row({"get": permission, "post": permission}, names)


def action(permission: str, names: str = "") -> Row:
    return Row({"post": permission}, names)


CONSOLE = {
    "": page("reports:read"),
    "requests/": page("requests:read"),
    "requests/<str:call>/": page("requests:read", "call"),
    "playground/": page("routes:read"),
    "keys/": page("keys:read"),
    "new/key/": form("keys:write"),
    "keys/<int:id>/change/": form("keys:write", "key"),
    "keys/<int:id>/rotate/": form("keys:write", "key"),
    "keys/<int:id>/revoke/": form("keys:write", "key"),
    "budgets/": page("budgets:read"),
    "new/budget/": form("budgets:write"),
    "budgets/<int:id>/archive/": form("budgets:write", "budget"),
    "people/": page("members:read"),
    "new/member/": form("members:write"),
    "people/<int:id>/unset/": form("members:write", "member"),
    "people/<int:id>/password/": form("members:write", "member"),
    "new/token/": form("tokens:write"),
    "tokens/<int:id>/revoke/": form("tokens:write", "token"),
    "routes/": page("routes:read"),
    "new/route/": form("routes:write"),
    "routes/<int:id>/change/": form("routes:write", "route"),
    "routes/<int:id>/archive/": form("routes:write", "route"),
    "credentials/": page("credentials:read"),
    "new/credential/": form("credentials:write"),
    "credentials/<int:id>/change/": form("credentials:write", "credential"),
    "credentials/<int:id>/archive/": form("credentials:write", "credential"),
    "credentials/<int:id>/test/": action("credentials:write", "credential"),
    "prices/": page("prices:read"),
    "prices/<int:id>/": page("prices:read", "price"),
    "new/price/": form("prices:write"),
    "prices/<int:id>/override/": form("prices:write", "price"),
    "prices/<int:id>/restore/": action("prices:write", "price"),
    "prices/sync/": action("prices:write"),
    "reports/": page("reports:read"),
    "reports/spend.<str:kind>": page("reports:read", "kind"),
    "reports/focus.csv": page("reports:read"),
    "audit/": page("audit:read"),
    "audit/<int:tenant>/<int:seq>/": page("audit:read", "entry"),
    "audit/verify/": action("audit:read"),
    "tenants/": page("tenants:read"),
    "new/tenant/": form("tenants:create"),
    "tenants/<str:external_id>/": page("tenants:read", "tenant"),
    "tenants/<str:external_id>/change/": form("tenants:write", "tenant"),
}
REST = {
    "api/tenants": Row({"get": "tenants:read", "post": "tenants:create"}),
    "api/tenants/<str:external_id>": Row(
        {
            "get": "tenants:read",
            "put": "tenants:write",
            "patch": "tenants:write",
            "delete": "tenants:write",
        },
        "tenant",
    ),
    "api/tenants/<str:external_id>/budgets/<str:period>": Row({"put": "budgets:write"}, "tenant"),
    "api/tenants/<str:external_id>/key-budgets/<str:period>": Row(
        {"put": "budgets:write"}, "tenant"
    ),
    "api/keys": Row({"get": "keys:read", "post": "keys:write"}),
    "api/keys/<int:id>": Row({"get": "keys:read", "patch": "keys:write"}, "key"),
    "api/keys/<int:id>/rotate": action("keys:write", "key"),
    "api/keys/<int:id>/revoke": action("keys:write", "key"),
    "api/keys/<int:id>/budgets/<str:period>": Row({"put": "budgets:write"}, "key"),
    "api/budgets": page("budgets:read"),
    "api/budgets/<int:id>": Row({"delete": "budgets:write"}, "budget"),
    "api/routes": page("routes:read"),
    "api/routes/<path:name>": Row(
        {"get": "routes:read", "put": "routes:write", "delete": "routes:write"}, "route"
    ),
    "api/credentials": page("credentials:read"),
    "api/credentials/<str:name>": Row(
        {"get": "credentials:read", "put": "credentials:write", "delete": "credentials:write"},
        "credential",
    ),
    "api/credentials/<str:name>/test": action("credentials:write", "credential"),
    "api/prices": Row({"get": "prices:read", "post": "prices:write"}),
    "api/prices/sync": action("prices:write"),
    "api/prices/<int:id>": page("prices:read", "price"),
    "api/prices/<int:id>/restore": action("prices:write", "price"),
    "api/requests": page("requests:read"),
    "api/requests/<str:call>": page("requests:read", "call"),
    "api/reports/spend": page("reports:read"),
    "api/reports/focus": page("reports:read"),
    "api/audit/entries": page("audit:read"),
    "api/audit/verify": action("audit:read"),
    "api/members": Row({"get": "members:read", "post": "members:write"}),
    "api/members/<int:id>": Row({"delete": "members:write"}, "member"),
    "api/tokens": Row({"get": "tokens:read", "post": "tokens:write"}),
    "api/tokens/<int:id>": Row({"delete": "tokens:write"}, "token"),
}
WITHOUT_ROLE = {
    "api/chat",  # an API key, checked by the pipeline
    "api/whoami",  # whoever asks is told who they are
    "api/schema/",
    "api/docs/",
    "healthz",
    "readyz",
    "account/",
    "account/login/",
    "account/logout/",
    "account/inactive/",
    "account/reauthenticate/",
    "account/password/",
}
PREFIXES_WITHOUT_ROLE = ("account/2fa/",)
ROWS = {**CONSOLE, **REST}
CASES = [(path, method) for path, row in ROWS.items() for method in row.methods]


def routes(patterns: Any = None, start: str = "") -> Iterator[str]:
    for each in get_resolver().url_patterns if patterns is None else patterns:
        path = f"{start}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, path)
        elif isinstance(each, URLPattern):
            yield path


@dataclass
class Ground:
    """A tenant with one of everything in it, and what belongs to the installation."""

    ids: Mapping[str, dict[str, Any]]

    def path(self, pattern: str, names: str) -> str:
        path = pattern
        for name, value in self.ids.get(names, {}).items():
            for kind in ("int", "str", "path"):
                path = path.replace(f"<{kind}:{name}>", str(value))
        assert "<" not in path, f"no value for {pattern}"
        return f"/{path}"


@pytest.fixture
def ground(acme: Tenant) -> Ground:
    key, _ = administration.create_key(people.ACTOR, acme, "a key")
    budget = administration.set_budget(people.ACTOR, acme, "day", 1_000_000_000)
    User.objects.create(username="somebody")  # without a password, which takes long to hash
    member, _ = administration.set_member(people.ACTOR, "somebody", acme, Role.VIEWER)
    token, _ = administration.create_token(people.ACTOR, "a token", acme, ["keys:read"])
    credential = administration.set_credential(
        people.ACTOR, "own", "simulator", base_url="http://127.0.0.1:9", secret="s3cret"
    )
    targets = [("simulator", "sim-echo", None)]
    route = administration.set_route(people.ACTOR, "fast", targets)
    price = administration.override_price(
        people.ACTOR, "simulator", "own", {"input_mtok": "1"}, None, datetime.now(UTC)
    )
    call = LoggedCall.objects.create(
        call="0190c0de",
        tenant_id=acme.id,
        key_id=key.id,
        status=429,
        is_stream=False,
        opened_us=1,
        milliseconds=1,
        count=1,
    )
    return Ground(
        {
            "tenant": {"external_id": acme.external_id, "period": "day"},
            "key": {"id": key.id, "period": "day"},
            "budget": {"id": budget.id},
            "member": {"id": member.id},
            "token": {"id": token.id},
            "call": {"call": call.call},
            "entry": {"tenant": acme.id, "seq": 0},
            "credential": {"id": credential.id, "name": credential.name},
            "route": {"id": route.id, "name": route.name},
            "price": {"id": price.id},
            "kind": {"kind": "csv"},
        }
    )


def browser(name: str, role: Role, of: Tenant | None) -> Client:
    user = User.objects.create(username=name)
    Membership.objects.create(user=user, tenant=of, role=role.value)
    client = Client()
    client.force_login(user)
    return client


def ask(client: Client, method: str, path: str, **extra: Any) -> str:
    """What came of it; whatever it changed is undone."""
    if path.startswith("/api/") and method != "get":
        extra = {"data": "{}", "content_type": "application/json", **extra}
    with transaction.atomic():
        answer = getattr(client, method)(path, **extra)
        if answer.streaming and not answer.is_async:
            answer.getvalue()  # an answer that nobody reads keeps its cursor
        transaction.set_rollback(True)
    if answer.status_code in LET_IN:
        return ALLOWED
    return {403: REFUSED, 404: ABSENT}.get(answer.status_code, f"status {answer.status_code}")


def granted(role: Role, of: Tenant | None) -> frozenset[str]:
    permissions = PERMISSIONS[role]
    return permissions if of is None else permissions & (OF_TENANT | OPEN_TO_MEMBERS)


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    found = {path for path in routes() if not path.startswith(PREFIXES_WITHOUT_ROLE)}

    assert found == ROWS.keys() | WITHOUT_ROLE


@pytest.mark.parametrize(("path", "method"), CASES)
def test_a_role_in_the_tenant_opens_just_what_it_grants(
    ground: Ground, acme: Tenant, path: str, method: str
) -> None:
    row = ROWS[path]
    where = ground.path(path, row.names)

    found = {role: ask(browser(f"{role}-here", role, acme), method, where) for role in Role}

    needed = row.methods[method]
    assert found == {role: ALLOWED if needed in granted(role, acme) else REFUSED for role in Role}


@pytest.mark.parametrize(("path", "method"), CASES)
def test_a_role_in_all_tenants_opens_just_what_it_grants(
    ground: Ground, path: str, method: str
) -> None:
    row = ROWS[path]
    where = ground.path(path, row.names)

    found = {role: ask(browser(f"{role}-all", role, None), method, where) for role in Role}

    needed = row.methods[method]
    assert found == {role: ALLOWED if needed in granted(role, None) else REFUSED for role in Role}


@pytest.mark.parametrize(("path", "method"), [case for case in CASES if ROWS[case[0]].is_of_tenant])
def test_what_is_somebody_elses_does_not_exist_for_any_role(
    ground: Ground, globex: Tenant, path: str, method: str
) -> None:
    where = ground.path(path, ROWS[path].names)

    found = {role: ask(browser(f"{role}-there", role, globex), method, where) for role in Role}

    assert found == dict.fromkeys(Role, ABSENT)


@pytest.mark.parametrize(("path", "method"), CASES)
def test_nobody_gets_in_without_logging_in(ground: Ground, path: str, method: str) -> None:
    answer = getattr(Client(), method)(ground.path(path, ROWS[path].names))

    assert answer.status_code == (401 if path.startswith("api/") else 302)
    assert path.startswith("api/") or answer["location"].startswith("/account/login/")


CHANGING = [case for case in CASES if case[1] != "get"]


@pytest.mark.parametrize(("path", "method"), CHANGING)
def test_nothing_is_changed_by_a_page_of_somebody_else(
    ground: Ground, path: str, method: str
) -> None:
    """An owner's browser, sent here by a page that has no CSRF token of ours."""
    user = User.objects.create(username="lured")
    Membership.objects.create(user=user, tenant=None, role=Role.OWNER.value)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    where = ground.path(path, ROWS[path].names)

    answer = getattr(browser, method)(where, "{}", content_type="application/json")

    assert answer.status_code == 403
