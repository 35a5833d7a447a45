"""Who asks, and may they? The one place that pages, REST and sockets let people in by.

| asks | is | may |
|---|---|---|
| a browser | the session's user | what their memberships grant, in one tenant or in all |
| a script | an admin token | its scopes, in its tenant or in all |

What lies in a tenant that an actor has no part in does not exist for them: 404, the same as for
what nobody has made. What exists but is not allowed: 403. Grants are read on every request, so a
change of role holds from the next one on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404

from audit.models import Entry
from budgets.models import Tenant

from . import vault
from .models import AdminToken, Membership
from .roles import NOBODY, Actor, Grant, of_role, of_scopes

Row = TypeVar("Row", bound=Model)


def of_user(user: AbstractBaseUser | AnonymousUser | None) -> Actor:
    """The actor behind a session; nobody where no one is logged in or the account is closed."""
    if user is None or not user.is_authenticated or not user.is_active:
        return NOBODY
    rows = Membership.objects.filter(user_id=user.pk).values_list("role", "tenant_id")
    return Actor(f"user:{user.get_username()}", tuple(of_role(*row) for row in rows))


def of_token(text: str, now: datetime | None = None) -> Actor | None:
    """The actor behind an admin token; None for a text that is none, or works no more."""
    if not vault.is_well_formed(text, vault.TOKEN_START):
        return None
    token = AdminToken.objects.filter(digest=vault.digest(text), is_active=True).first()
    if token is None:
        return None
    if token.expires_at is not None and token.expires_at <= (now or datetime.now(UTC)):
        return None
    return Actor(f"token:{token.prefix}", (of_scopes(token.scopes, token.tenant_id),))


def check(actor: Actor, permission: str, tenant_id: int | None = None) -> None:
    """Raises PermissionDenied, or Http404 where the tenant does not exist for this actor."""
    if actor.may(permission, tenant_id):
        return
    if tenant_id is not None and not actor.sees(tenant_id):
        raise Http404
    raise PermissionDenied(f"You need {permission} for this.")


def enter(
    actor: Actor,
    permission: str,
    of: type[Model] | None = None,
    ids: Mapping[str, Any] | None = None,
) -> None:
    """Is it allowed anywhere at all? What is shown or changed then is narrowed by the others here.

    For who may do it nowhere: `of` and `ids` are the row that the path names, so that what is not
    theirs answers 404 to them as to everyone.
    """
    if actor.may_somewhere(permission):
        return
    if of is not None and ids and not actor.sees(_owner(of, ids)):
        raise Http404
    raise PermissionDenied(f"You need {permission} for this.")


def _owner(of: type[Model], ids: Mapping[str, Any]) -> int:
    """The tenant that the named row lies in; raises Http404 where there is no such row."""
    known = {field.name for field in of._meta.get_fields()}
    by = {name: value for name, value in ids.items() if name in known}
    row = of._default_manager.filter(**by).first()
    match row:
        case None:
            raise Http404
        case Tenant():
            return row.id
        case Entry():
            return row.tenant
    owner: int = row.tenant_id  # type: ignore[attr-defined]  # every other row of a tenant has it
    return owner


def check_hands_out(actor: Actor, *grants: Grant, instead_of: Iterable[Membership] = ()) -> None:
    """Nobody gives more than they have, nor takes it from somebody who has more.

    `instead_of` are roles that would be replaced or removed. Raises PermissionDenied.
    """
    taken = (of_role(member.role, member.tenant_id) for member in instead_of)
    if not all(actor.covers(grant) for grant in (*grants, *taken)):
        raise PermissionDenied("You cannot give or take more than you have been given.")


def visible(
    rows: QuerySet[Row], actor: Actor, permission: str, tenant: str = "tenant_id"
) -> QuerySet[Row]:
    """Those rows that lie in tenants where it is allowed; `tenant` is the path to the id."""
    allowed = actor.tenants(permission)
    return rows if allowed is None else rows.filter(**{f"{tenant}__in": allowed})


def find(
    rows: QuerySet[Row], actor: Actor, permission: str, tenant: str = "tenant_id", **by: Any
) -> Row:
    """The one row that `by` names; raises Http404 or PermissionDenied as `check` does."""
    row = rows.filter(**by).first()
    if row is None:
        raise Http404
    owner: Any = row
    for name in tenant.split("__"):
        owner = getattr(owner, name)
    check(actor, permission, owner)
    return row
