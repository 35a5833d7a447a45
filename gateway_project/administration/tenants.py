"""Tenants: made, changed and archived; their books are never deleted."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from audit import log as audit_log
from budgets import periods
from budgets.models import Tenant

from ..books import change
from ..writer import now_us
from .drafts import Value, append, draft

RETENTION_DAYS_MAX = 3_660


class ZoneChangePending(ValueError):
    """The tenant's last change of zone still waits for a window to end."""


def create_tenant(
    actor: str, external_id: str, name: str, zone: str = "UTC", retention_days: int = 400
) -> Tenant:
    """A new tenant with an empty chain of its own; raises UnknownZone for a zone that is none."""
    periods.check_zone(zone)
    with change() as version, connection.cursor() as cursor:
        tenant = Tenant.objects.create(
            external_id=external_id,
            name=name,
            zone=zone,
            retention_days=retention_days,
            version=version,
        )
        now = now_us(cursor)
        audit_log.open_log(cursor, connection.vendor, tenant.id, settings.SECRETS.audit_origin, now)
        entry = draft(
            tenant.id, actor, "tenant.create", f"tenant:{external_id}", after=_fields(tenant)
        )
        append(entry)
    return tenant


def update_tenant(
    actor: str,
    tenant: Tenant,
    *,
    name: str | None = None,
    zone: str | None = None,
    retention_days: int | None = None,
    is_active: bool | None = None,
) -> Tenant:
    """Change what is given. A new zone counts from the end of the windows that are open now.

    Raises UnknownZone, and ZoneChangePending where the change before has not come into force.
    """
    with change() as version, connection.cursor() as cursor:
        tenant = Tenant.objects.select_for_update().get(id=tenant.id)
        before = _fields(tenant)
        now = now_us(cursor)
        if zone is not None and zone != tenant.zone:
            _move(tenant, zone, now)
        tenant.name = tenant.name if name is None else name
        if retention_days is not None:
            tenant.retention_days = retention_days
        tenant.is_active = tenant.is_active if is_active is None else is_active
        if _fields(tenant) == before:
            return tenant
        tenant.version = version
        tenant.save()
        subject = f"tenant:{tenant.external_id}"
        entry = draft(tenant.id, actor, "tenant.update", subject, before, _fields(tenant))
        append(entry)
    return tenant


def _move(tenant: Tenant, zone: str, now_us: int) -> None:
    periods.check_zone(zone)
    last = tenant.zone_changed_us
    if tenant.zone_before and now_us < periods.interval("month", tenant.zone_before, last).ends_us:
        raise ZoneChangePending(
            f"The zone was changed from {tenant.zone_before} to {tenant.zone} in this month; "
            "it can change again in the next."
        )
    tenant.zone_before, tenant.zone, tenant.zone_changed_us = tenant.zone, zone, now_us


def _fields(tenant: Tenant) -> dict[str, Value]:
    return {
        "name": tenant.name,
        "zone": tenant.zone,
        "retention_days": tenant.retention_days,
        "is_active": tenant.is_active,
    }
