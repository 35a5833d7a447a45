"""People and tenants for tests: whoever is asked for, logged in, with one role."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client

from budgets.models import Tenant
from gateway_project import administration
from gateway_project.models import Membership
from gateway_project.roles import EVERYTHING, Role

ACTOR = "user:test"


def tenant(external_id: str, zone: str = "UTC") -> Tenant:
    return administration.create_tenant(ACTOR, external_id, external_id.title(), zone)


def user(name: str, role: Role | None = None, of: Tenant | None = None) -> User:
    """An account, with a role in one tenant or, without one, in all."""
    made = User.objects.create_user(name, password=f"{name}-and-a-long-word")
    if role is not None:
        Membership.objects.create(user=made, tenant=of, role=role.value)
    return made


def client(name: str, role: Role | None = None, of: Tenant | None = None) -> Client:
    """A browser in which this person is logged in."""
    browser = Client()
    browser.force_login(user(name, role, of))
    return browser


@dataclass
class Script:
    """A program with an admin token."""

    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


def script(of: Tenant | None = None, *scopes: str) -> Script:
    """A token with these scopes, or with every one."""
    wanted = scopes or tuple(sorted(EVERYTHING))
    return Script(administration.create_token(ACTOR, "script", of, wanted)[1])
