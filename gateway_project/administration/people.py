"""People and tokens: who may do what, in one tenant or in all. The ladder is `roles.py`'s."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User

from budgets.models import Tenant

from .. import vault
from ..books import change
from ..models import AdminToken, Membership
from ..roles import EVERYTHING, Role
from .drafts import SYSTEM, append, draft


class LastOwner(ValueError):
    """Somebody must be left who owns all tenants, or nobody could make an owner again."""


def set_member(
    actor: str, username: str, tenant: Tenant | None, role: Role
) -> tuple[Membership, str | None]:
    """Give a person a role, in one tenant or in all; a new person gets a password, shown once.

    Raises LastOwner where it takes the role from the only owner of all tenants.
    """
    password = None
    with change():
        user = User.objects.filter(username=username).first()
        if user is None:
            password = secrets.token_urlsafe(15)
            user = User.objects.create_user(username, password=password)
        known = Membership.objects.filter(user=user, tenant=tenant).first()
        before = {"role": known.role} if known else {}
        membership, _ = Membership.objects.update_or_create(
            user=user, tenant=tenant, defaults={"role": role.value}
        )
        _keep_an_owner(tenant, before)
        _record(actor, "member.set", username, tenant, before, {"role": role.value})
    return membership, password


def unset_member(actor: str, membership: Membership) -> None:
    """The person has no say there from the next request on. Raises LastOwner."""
    with change():
        username = membership.user.get_username()
        before = {"role": membership.role}
        _record(actor, "member.unset", username, membership.tenant, before, {})
        membership.delete()
        _keep_an_owner(membership.tenant, before)


def set_password(actor: str, user: User) -> str:
    """A new password, shown once; every session of the person ends."""
    password = secrets.token_urlsafe(15)
    with change(draft(SYSTEM, actor, "member.password", f"user:{user.get_username()}")):
        user.set_password(password)
        user.save(update_fields=["password"])
    return password


def forget_second_factor(actor: str, user: User) -> int:
    """For a lost phone: the password alone lets this person in again; returns what was removed."""
    factors = Authenticator.objects.filter(user=user)
    with change(draft(SYSTEM, actor, "member.second-factor", f"user:{user.get_username()}")):
        removed: int = factors.delete()[0]
    return removed


def create_token(
    actor: str,
    name: str,
    tenant: Tenant | None,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> tuple[AdminToken, str]:
    """A token for the management API and its text, shown once; raises ValueError for a scope."""
    unknown = sorted(set(scopes) - EVERYTHING)
    if unknown:
        raise ValueError(f"There is no scope {unknown[0]!r}.")
    text = vault.make_token()
    token = AdminToken(
        name=name,
        digest=vault.digest(text),
        prefix=text[: vault.TOKEN_PREFIX_LENGTH],
        tenant=tenant,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    with change():
        token.save(force_insert=True)
        after = {"name": name, "scopes": token.scopes, "expires_at": expires_at}
        chain = tenant.id if tenant else SYSTEM
        append(draft(chain, actor, "token.create", f"token:{token.prefix}", after=after))
    return token, text


def revoke_token(actor: str, token: AdminToken) -> None:
    """It is refused from the next request on."""
    with change():
        AdminToken.objects.filter(id=token.id).update(is_active=False)
        chain = token.tenant_id or SYSTEM
        append(draft(chain, actor, "token.revoke", f"token:{token.prefix}"))


def _keep_an_owner(tenant: Tenant | None, before: dict[str, str]) -> None:
    """Changes by admins come one after another, so two owners cannot remove each other."""
    if tenant is not None or before.get("role") != Role.OWNER:
        return
    owners = Membership.objects.filter(tenant=None, role=Role.OWNER, user__is_active=True)
    if not owners.exists():
        raise LastOwner("This is the last owner of all tenants. Make another one first.")


def _record(
    actor: str,
    action: str,
    username: str,
    tenant: Tenant | None,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    chain = tenant.id if tenant else SYSTEM
    append(draft(chain, actor, action, f"user:{username}", before, after))
