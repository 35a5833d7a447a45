"""What admins do: each function is one change, audited in its own transaction.

Commands, REST and console call these; nothing else writes tenants, keys, budgets or routes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Greatest

from audit import log as audit_log
from audit.chain import Draft
from budgets import periods
from budgets.models import ApiKey, Budget, Tenant, Window
from providers.price_source import PriceRow, read_prices, simulator_prices

from . import vault
from .books import change, now_us
from .models import Credential, Price, Route, Target

SYSTEM = 0


def open_system_log() -> None:
    """Make the chain that changes outside any tenant go to; again is harmless."""
    with change(), connection.cursor() as cursor:
        audit_log.open_log(
            cursor, connection.vendor, SYSTEM, settings.SECRETS.audit_origin, now_us(cursor)
        )


def create_tenant(actor: str, external_id: str, name: str, zone: str = "UTC") -> Tenant:
    """A new tenant with an empty chain of its own; raises UnknownZone for a zone that is none."""
    periods.check_zone(zone)
    with change() as version, connection.cursor() as cursor:
        tenant = Tenant.objects.create(
            external_id=external_id, name=name, zone=zone, version=version
        )
        now = now_us(cursor)
        audit_log.open_log(cursor, connection.vendor, tenant.id, settings.SECRETS.audit_origin, now)
        draft = _draft(tenant.id, actor, "tenant.create", f"tenant:{external_id}", zone=zone)
        audit_log.append(cursor, connection.vendor, [draft], now)
    return tenant


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
    prefix = text[: vault.PREFIX_LENGTH]
    draft = _draft(
        tenant.id,
        actor,
        "key.create",
        f"key:{prefix}",
        name=name,
        allowed_models=list(allowed_models),
        requests_per_minute=requests_per_minute,
    )
    with change(draft) as version:
        key = ApiKey.objects.create(
            tenant=tenant,
            name=name,
            digest=vault.digest(text),
            prefix=prefix,
            allowed_models=list(allowed_models),
            requests_per_minute=requests_per_minute,
            expires_at=expires_at,
            version=version,
        )
    return key, text


def revoke_key(actor: str, key: ApiKey) -> None:
    """No gateway accepts the key a second after this returns."""
    draft = _draft(key.tenant_id, actor, "key.revoke", f"key:{key.prefix}")
    with change(draft) as version:
        ApiKey.objects.filter(id=key.id).update(is_active=False, version=version)


def set_budget(
    actor: str, tenant: Tenant, period: str, limit_nanos: int, *, key: ApiKey | None = None
) -> Budget:
    """Set the limit of a tenant or key per day or month; the current window takes it at once."""
    scope = Budget.Scope.TENANT if key is None else Budget.Scope.KEY
    before = Budget.objects.filter(tenant=tenant, scope=scope, api_key=key, period=period).first()
    draft = _draft(
        tenant.id,
        actor,
        "budget.set",
        f"tenant:{tenant.external_id}" if key is None else f"key:{key.prefix}",
        period=period,
        before_nanos=None if before is None else str(before.limit_nanos),
        after_nanos=str(limit_nanos),
    )
    with change(draft) as version, connection.cursor() as cursor:
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


def set_credential(
    actor: str, name: str, provider: str, *, base_url: str, secret: str
) -> Credential:
    """Where a route's calls go and with which key; a new address never inherits the old key."""
    draft = _draft(
        SYSTEM, actor, "credential.set", f"credential:{name}", provider=provider, base_url=base_url
    )
    with change(draft) as version:
        credential, _ = Credential.objects.update_or_create(
            name=name,
            defaults={
                "provider": provider,
                "base_url": base_url,
                "sealed_key": vault.seal(secret) if secret else b"",
                "is_active": True,
                "version": version,
            },
        )
    return credential


def set_route(
    actor: str, name: str, targets: Sequence[tuple[str, str, Credential | None]]
) -> Route:
    """A public model name and its targets (provider, model, credential), in the order to try."""
    labels = [f"{provider}/{model}" for provider, model, _ in targets]
    draft = _draft(SYSTEM, actor, "route.set", f"route:{name}", targets=labels)
    with change(draft) as version:
        route, _ = Route.objects.update_or_create(
            name=name, defaults={"is_active": True, "version": version}
        )
        route.targets.all().delete()
        Target.objects.bulk_create(
            Target(route=route, position=at, provider=provider, model=model, credential=credential)
            for at, (provider, model, credential) in enumerate(targets)
        )
    return route


def sync_prices(actor: str, now: datetime | None = None) -> tuple[int, int]:
    """Copy the installed price list into the dated table; returns (rows added, rows closed)."""
    now = now or datetime.now(UTC)
    wanted = {(row.provider, row.model): row for row in _price_rows(now)}
    current = {(p.provider, p.model): p for p in Price.objects.filter(valid_to=None)}
    changed = [row for key, row in wanted.items() if _differs(current.get(key), row)]
    closing = [
        current[key].id for key in current if key in {(r.provider, r.model) for r in changed}
    ]
    if not changed:
        return 0, 0
    draft = _draft(SYSTEM, actor, "prices.sync", "prices", added=len(changed), closed=len(closing))
    with change(draft) as version:
        for start in range(0, len(closing), 500):
            Price.objects.filter(id__in=closing[start : start + 500]).update(
                valid_to=now, version=version
            )
        Price.objects.bulk_create([_price(row, now, version) for row in changed], batch_size=200)
    return len(changed), len(closing)


def _price_rows(now: datetime) -> list[PriceRow]:
    return [*read_prices(now.date()), *simulator_prices()]


def _differs(price: Price | None, row: PriceRow) -> bool:
    return price is None or (price.rates, price.match, price.context_window) != (
        row.rates,
        row.match,
        row.context_window,
    )


def _price(row: PriceRow, now: datetime, version: int) -> Price:
    known = dataclasses.asdict(row)
    return Price(
        provider=row.provider,
        model=row.model,
        match=known["match"],
        rates=known["rates"],
        context_window=row.context_window,
        valid_from=now,
        source=row.source_url[:200],
        source_version=row.source_version,
        version=version,
    )


def _draft(tenant: int, actor: str, action: str, object: str, **details: object) -> Draft:
    return Draft(
        tenant=tenant,
        actor=actor,
        action=action,
        object=object,
        result="ok",
        details=details,  # type: ignore[arg-type]  # checked when the entry is made canonical
    )
