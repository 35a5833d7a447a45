"""Who may do what: permissions, roles, and the one question that pages, REST and sockets ask. Pure.

A permission is `thing:verb`. What belongs to a tenant is allowed by a grant for that tenant or for
all; what belongs to the installation (routes, credentials, prices) only by a grant for all, except
that reading routes and prices is open to every member.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

OF_TENANT = frozenset(
    {
        "tenants:read",
        "tenants:write",
        "keys:read",
        "keys:write",
        "budgets:read",
        "budgets:write",
        "requests:read",
        "reports:read",
        "audit:read",
        "members:read",
        "members:write",
        "tokens:read",
        "tokens:write",
    }
)
OF_ALL = frozenset(
    {
        "tenants:create",
        "routes:read",
        "routes:write",
        "credentials:read",
        "credentials:write",
        "prices:read",
        "prices:write",
    }
)
OPEN_TO_MEMBERS = frozenset({"routes:read", "prices:read"})
EVERYTHING = OF_TENANT | OF_ALL
READING = frozenset(name for name in EVERYTHING if name.endswith(":read"))
SECRETIVE = frozenset({"credentials:read", "members:read", "tokens:read"})


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    FINANCE = "finance"
    AUDITOR = "auditor"
    DEVELOPER = "developer"
    VIEWER = "viewer"


PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.OWNER: EVERYTHING,
    Role.ADMIN: EVERYTHING - {"members:write", "tokens:write"},
    Role.FINANCE: (READING - SECRETIVE - {"audit:read"}) | {"budgets:write"},
    Role.AUDITOR: READING,
    Role.DEVELOPER: (READING - SECRETIVE - {"audit:read"}) | {"keys:write"},
    Role.VIEWER: READING - SECRETIVE - {"audit:read", "requests:read"},
}


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions in one tenant, or in all where `tenant_id` is None."""

    tenant_id: int | None
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a token, as the audit names it, with what it was granted."""

    name: str
    grants: tuple[Grant, ...]

    def may(self, permission: str, tenant_id: int | None = None) -> bool:
        """Is it allowed in this tenant, or, without one, for the whole installation?"""
        if permission in OPEN_TO_MEMBERS:
            return any(permission in grant.permissions for grant in self.grants)
        return any(
            permission in grant.permissions and grant.tenant_id in {None, tenant_id}
            for grant in self.grants
        )

    def may_somewhere(self, permission: str) -> bool:
        return any(permission in grant.permissions for grant in self.grants)

    def sees(self, tenant_id: int | None) -> bool:
        """Does the tenant exist for this actor at all?"""
        return any(grant.tenant_id in {None, tenant_id} for grant in self.grants)

    def covers(self, grant: Grant) -> bool:
        """May it hand out this grant? Nobody gives what they have not got."""
        own = [each for each in self.grants if each.tenant_id in {None, grant.tenant_id}]
        return all(any(name in each.permissions for each in own) for name in grant.permissions)

    def tenants(self, permission: str) -> set[int] | None:
        """The tenants in which it is allowed; None means all."""
        allowed = [grant for grant in self.grants if permission in grant.permissions]
        if any(grant.tenant_id is None for grant in allowed):
            return None
        return {grant.tenant_id for grant in allowed if grant.tenant_id is not None}


NOBODY = Actor("nobody", ())


def of_role(role: str, tenant_id: int | None) -> Grant:
    """A role in one tenant has no say over the installation."""
    permissions = PERMISSIONS[Role(role)]
    if tenant_id is not None:
        permissions = permissions & (OF_TENANT | OPEN_TO_MEMBERS)
    return Grant(tenant_id, permissions)


def of_scopes(scopes: Iterable[str], tenant_id: int | None) -> Grant:
    """A token's scopes are permissions by name; a token of one tenant keeps only a tenant's."""
    permissions = EVERYTHING.intersection(scopes)
    if tenant_id is not None:
        permissions = permissions & (OF_TENANT | OPEN_TO_MEMBERS)
    return Grant(tenant_id, permissions)
