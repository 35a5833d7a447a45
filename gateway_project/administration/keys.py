"""API keys: their text is shown once, when they are made or rotated, and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from budgets.models import ApiKey, Tenant

from .. import vault
from ..books import change
from .drafts import Value, append, draft

OVERLAP_MAX = timedelta(days=30)
CHANGEABLE = frozenset({"name", "allowed_models", "requests_per_minute", "expires_at"})


class Revoked(ValueError):
    """The key does not work any more and cannot be changed."""


def create_key(
    actor: str,
    tenant: Tenant,
    name: str,
    *,
    allowed_models: Sequence[str] = (),
    requests_per_minute: int | None = 60,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is nowhere else and cannot be shown again."""
    text = vault.make_key()
    key = ApiKey(
        tenant=tenant,
        name=name,
        digest=vault.digest(text),
        prefix=text[: vault.PREFIX_LENGTH],
        allowed_models=list(allowed_models),
        requests_per_minute=requests_per_minute,
        expires_at=expires_at,
    )
    entry = draft(tenant.id, actor, "key.create", f"key:{key.prefix}", after=_fields(key))
    with change(entry) as version:
        key.version = version
        key.save(force_insert=True)
    return key, text


def update_key(actor: str, key: ApiKey, changes: Mapping[str, Any]) -> ApiKey:
    """Change what is given, by the names of CHANGEABLE; raises Revoked.

    The rest is read under the lock, so that two changes at once of different fields both hold.
    """
    assert changes.keys() <= CHANGEABLE, "only these can be changed"
    with change() as version:
        key = _locked(key)
        before = _fields(key)
        for name, value in changes.items():
            setattr(key, name, value)
        if _fields(key) != before:
            key.version = version
            key.save()
            subject = f"key:{key.prefix}"
            append(draft(key.tenant_id, actor, "key.update", subject, before, _fields(key)))
    return key


def rotate_key(actor: str, key: ApiKey, overlap: timedelta, now: datetime) -> tuple[ApiKey, str]:
    """A new text for the same key; the text before works until `overlap` is over. Raises Revoked.

    Budgets, rate and history stay, because the row stays. Of three texts the oldest ends at once.
    """
    text = vault.make_key()
    with change() as version:
        key = _locked(key)
        before: dict[str, Value] = {"prefix": key.prefix}
        key.previous_digest = key.digest if overlap else None
        key.previous_expires_at = now + min(overlap, OVERLAP_MAX) if overlap else None
        key.digest, key.prefix = vault.digest(text), text[: vault.PREFIX_LENGTH]
        key.version = version
        key.save()
        after: dict[str, Value] = {
            "prefix": key.prefix,
            "previous_expires_at": key.previous_expires_at,
        }
        entry = draft(key.tenant_id, actor, "key.rotate", f"key:{key.prefix}", before, after)
        append(entry)
    return key, text


def revoke_key(actor: str, key: ApiKey) -> None:
    """No gateway accepts the key, nor the text before it, a second after this returns."""
    entry = draft(key.tenant_id, actor, "key.revoke", f"key:{key.prefix}")
    with change(entry) as version:
        ApiKey.objects.filter(id=key.id).update(is_active=False, version=version)


def _locked(key: ApiKey) -> ApiKey:
    key = ApiKey.objects.select_for_update().get(id=key.id)
    if not key.is_active:
        raise Revoked(f"The key {key.prefix}… is revoked.")
    return key


def _fields(key: ApiKey) -> dict[str, Value]:
    return {
        "name": key.name,
        "allowed_models": list(key.allowed_models),
        "requests_per_minute": key.requests_per_minute,
        "expires_at": key.expires_at,
    }
