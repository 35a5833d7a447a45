"""What somebody should look at: each finding in a sentence, with the page that puts it right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils.http import urlencode

from budgets import money, standings
from budgets.models import ApiKey, Budget, Tenant
from providers.price_source import matches

from .. import access
from ..clock import now_us
from ..directory import Directory
from ..models import Membership, Price, Target
from ..roles import Actor, Role

HIGH_PERCENT = 80
EXPIRING = timedelta(days=14)
EACH_MAX = 10
ROUTES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` is bad or warn."""

    level: str
    text: str
    url: str


def findings(actor: Actor) -> list[Finding]:
    """At most EACH_MAX of each kind, the worst first; only what this actor may read."""
    kinds = (_budgets(actor), _unlimited(actor), _keys(actor), _routes(actor), _people(actor))
    found = [finding for kind in kinds for finding in islice(kind, EACH_MAX)]
    return sorted(found, key=lambda finding: finding.level)


def _budgets(actor: Actor) -> Iterator[Finding]:
    rows = access.visible(Budget.objects.filter(tenant__is_active=True), actor, "budgets:read")
    high = [each for each in standings.current(rows, now_us()) if each.percent >= HIGH_PERCENT]
    for each in sorted(high, key=lambda each: -each.percent):
        tenant = each.budget.tenant
        what = f"key {each.key.name} of {tenant.name}" if each.key else tenant.name
        word = "daily" if each.budget.period == Budget.Period.DAY else "monthly"
        limit = money.dollars(each.limit_nanos)
        level = "bad" if each.percent >= 100 else "warn"
        text = f"{what}: the {word} limit of {limit} is used to {each.percent} %."
        yield Finding(level, text, _of_tenant("budgets", tenant))


def _unlimited(actor: Actor) -> Iterator[Finding]:
    limited = Budget.objects.filter(is_active=True, scope=Budget.Scope.TENANT)
    rows = Tenant.objects.filter(is_active=True).exclude(id__in=limited.values("tenant_id"))
    for tenant in access.visible(rows.order_by("name"), actor, "budgets:read", "id")[:EACH_MAX]:
        yield Finding("warn", f"{tenant.name} has no limit.", _of_tenant("budgets", tenant))


def _keys(actor: Actor) -> Iterator[Finding]:
    now = datetime.now(UTC)
    rows = ApiKey.objects.filter(
        is_active=True, expires_at__gt=now, expires_at__lte=now + EXPIRING, tenant__is_active=True
    )
    rows = access.visible(rows.select_related("tenant"), actor, "keys:read").order_by("expires_at")
    for key in rows[:EACH_MAX]:
        text = f"The key {key.name} of {key.tenant.name} ends on {key.expires_at:%Y-%m-%d}."
        yield Finding("warn", text, _of_tenant("keys", key.tenant))


def _routes(actor: Actor) -> Iterator[Finding]:
    """The first target must lead somewhere, and have a price."""
    if not actor.may("routes:write"):
        return
    first = Target.objects.filter(route__is_active=True, position=0)
    targets = list(first.select_related("route", "credential").order_by("route__name")[:ROUTES_MAX])
    prices: dict[str, list[tuple[str, Mapping[str, object]]]] = {}
    rows = Price.objects.filter(valid_to=None, provider__in={target.provider for target in targets})
    for provider, model, match in rows.values_list("provider", "model", "match"):
        prices.setdefault(provider, []).append((model, match))
    for target in targets:
        known = prices.get(target.provider, [])
        if not any(target.model == name or matches(rule, target.model) for name, rule in known):
            text = f"The route {target.route.name} has no price for {target}."
            yield Finding("bad", text, reverse("prices"))
        elif not _leads_somewhere(target):
            text = f"The route {target.route.name} has no credential for {target.provider}."
            yield Finding("bad", text, reverse("credentials"))


def _leads_somewhere(target: Target) -> bool:
    if target.credential is not None:
        return target.credential.is_active
    return Directory().upstream(target.provider, target.model, None) is not None


def _people(actor: Actor) -> Iterator[Finding]:
    if not actor.may("members:read"):
        return
    safe = Authenticator.objects.filter(type=Authenticator.Type.TOTP).values("user_id")
    rows = Membership.objects.filter(
        tenant=None, role__in=[Role.OWNER, Role.ADMIN], user__is_active=True
    ).exclude(user_id__in=safe)
    for row in rows.select_related("user").order_by("user__username")[:EACH_MAX]:
        text = f"{row.user.username}, {row.role} of all tenants, has no second factor."
        yield Finding("warn", text, reverse("people"))


def _of_tenant(name: str, tenant: Tenant) -> str:
    return f"{reverse(name)}?{urlencode({'tenant': tenant.external_id})}"
