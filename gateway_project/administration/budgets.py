"""Limits of tenants and keys; a change holds for the window that is open now."""

from __future__ import annotations

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Greatest

from budgets.models import ApiKey, Budget, Tenant, Window

from ..books import change
from ..writer import now_us
from .drafts import draft


def set_budget(
    actor: str,
    tenant: Tenant,
    period: str,
    limit_nanos: int,
    *,
    key: ApiKey | None = None,
    each_key: bool = False,
) -> Budget:
    """Set the limit of a tenant, of one key, or of each key, per day or month.

    The current window takes it at once: what is spent above a lowered limit stands as excess.
    """
    scope = Budget.Scope.KEY if key is not None or each_key else Budget.Scope.TENANT
    before = Budget.objects.filter(tenant=tenant, scope=scope, api_key=key, period=period).first()
    is_known = before is not None and before.is_active
    if before is not None and is_known and before.limit_nanos == limit_nanos:
        return before
    entry = draft(
        tenant.id,
        actor,
        "budget.set",
        _subject(tenant, scope, key),
        before={"limit_nanos": str(before.limit_nanos) if before and is_known else None},
        after={"limit_nanos": str(limit_nanos), "period": period},
    )
    with change(entry) as version, connection.cursor() as cursor:
        budget, _ = Budget.objects.update_or_create(
            tenant=tenant,
            scope=scope,
            api_key=key,
            period=period,
            defaults={"limit_nanos": limit_nanos, "is_active": True, "version": version},
        )
        over = F("held_nanos") + F("spent_nanos") - limit_nanos
        Window.objects.filter(budget=budget, ends_us__gt=now_us(cursor)).update(
            limit_nanos=limit_nanos, over_nanos=Greatest(over, Value(0))
        )
    return budget


def archive_budget(actor: str, budget: Budget) -> None:
    """The limit holds no more; its windows stay, and count on if it is ever set again."""
    subject = _subject(budget.tenant, budget.scope, budget.api_key)
    before = {"limit_nanos": str(budget.limit_nanos), "period": budget.period}
    entry = draft(budget.tenant_id, actor, "budget.archive", subject, before)
    with change(entry) as version:
        Budget.objects.filter(id=budget.id).update(is_active=False, version=version)


def _subject(tenant: Tenant, scope: str, key: ApiKey | None) -> str:
    if key is not None:
        return f"key:{key.prefix}"
    suffix = "/each-key" if scope == Budget.Scope.KEY else ""
    return f"tenant:{tenant.external_id}{suffix}"
