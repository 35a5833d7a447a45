"""The in-process snapshot of what admins write: tenants, keys, budgets, routes, prices.

The hot path reads it and nothing else. Every admin change raises one version row; a gateway polls
that row, and re-reads just the rows whose own version is newer. A batch of the ledger returns the
version too, so a call that was admitted on an old snapshot is asked again on the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from django.conf import settings

from budgets import periods
from budgets.limits import RateLimit
from budgets.models import ApiKey, Budget, Tenant
from budgets.snapshot import snapshot
from providers.catalog import PROVIDERS, priced_as
from providers.price_source import matches
from providers.pricing import Price
from providers.routing import Target as Upstream
from providers.routing import choose

from . import models, vault
from .facts import Limit, Principal

SNAPSHOT_ROWS_MAX = 1_000_000
PRICED_MAX = 10_000
PRINCIPALS_MAX = 100_000
DUMMY_KEY = "simulated"


@dataclass(frozen=True, slots=True)
class TenantRow:
    id: int
    name: str
    zone: str
    zone_before: str
    zone_changed_us: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class KeyRow:
    id: int
    tenant_id: int
    prefix: str
    allowed_models: tuple[str, ...]
    requests_per_minute: int | None
    is_active: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class BudgetRow:
    id: int
    tenant_id: int
    scope: str
    key_id: int | None
    period: str


@dataclass(frozen=True, slots=True)
class RouteRow:
    name: str
    targets: tuple[tuple[str, str, str | None], ...]
    output_tokens_default: int


@dataclass(frozen=True, slots=True)
class CredentialRow:
    provider: str
    base_url: str
    api_key: str = field(repr=False)


class PriceBook:
    """The prices in force by provider; replaced as a whole, so what it remembers stays true."""

    def __init__(self, rows: Mapping[str, Sequence[tuple[Mapping[str, object], Price]]]) -> None:
        self.rows = rows
        self._known: dict[tuple[str, str], Price | None] = {}

    def find(self, provider: str, model: str) -> Price | None:
        """An exact name first, then the first rule that matches."""
        name = (provider, model)
        if name not in self._known:
            if len(self._known) >= PRICED_MAX:
                self._known.clear()
            self._known[name] = self._search(provider, model)
        return self._known[name]

    def _search(self, provider: str, model: str) -> Price | None:
        rows = self.rows.get(provider, ())
        exact = next((price for _, price in rows if price.model == model), None)
        return exact or next((price for match, price in rows if matches(match, model)), None)


@dataclass(slots=True)
class Directory:
    """Everything by its look-up key; `refresh` runs in a thread, readers see whole rows only."""

    version: int = -1
    tenants: dict[int, TenantRow] = field(default_factory=dict)
    keys: dict[bytes, KeyRow] = field(default_factory=dict)
    budgets: dict[int, dict[int, BudgetRow]] = field(default_factory=dict)
    routes: dict[str, RouteRow] = field(default_factory=dict)
    credentials: dict[str, CredentialRow] = field(default_factory=dict)
    prices: PriceBook = field(default_factory=lambda: PriceBook({}))
    _digests: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    _principals: dict[int, tuple[KeyRow, Principal]] = field(default_factory=dict)

    def refresh(self) -> None:
        """Read every row that is newer than this snapshot, in one transaction."""
        versions = models.Directory.objects.filter(id=1).values_list("version", flat=True)
        if (versions.first() or 0) <= self.version:
            return
        with snapshot():
            row = versions.first()
            if row is None:
                return
            self._read_tenants()
            self._read_keys()
            self._read_budgets()
            self._read_routes()
            self._read_prices()
            self.version = row

    def look_up(self, digest: bytes) -> KeyRow | None:
        """One indexed look-up of a key that the snapshot does not know yet."""
        if ApiKey.objects.filter(digest=digest).exists():
            self.refresh()
        return self.keys.get(digest)

    def principal(self, key: KeyRow) -> Principal:
        """The caller behind a key, with every budget that its calls count against.

        The same object from call to call, until the snapshot changes.
        """
        known = self._principals.get(key.id)
        if known is None or known[0] is not key or known[1].directory_version != self.version:
            if len(self._principals) >= PRINCIPALS_MAX:
                self._principals.clear()
            known = self._principals[key.id] = (key, self._principal(key))
        return known[1]

    def _principal(self, key: KeyRow) -> Principal:
        version = self.version  # first: what changes while this is made makes it stale
        tenant = self.tenants[key.tenant_id]
        count = key.requests_per_minute
        return Principal(
            tenant_id=tenant.id,
            tenant=tenant.name,
            zone=tenant.zone,
            zone_before=tenant.zone_before,
            zone_changed_us=tenant.zone_changed_us,
            key_id=key.id,
            key_prefix=key.prefix,
            allowed_models=key.allowed_models,
            rate=None if count is None else RateLimit(count),
            limits=tuple(_limits(key, list(self.budgets.get(tenant.id, {}).values()))),
            directory_version=version,
        )

    def price(self, provider: str, model: str) -> Price | None:
        """The price in force."""
        found = (self.prices.find(name, model) for name in priced_as(provider))
        return next((price for price in found if price is not None), None)

    def upstream(self, provider: str, model: str, credential: str | None) -> Upstream | None:
        """Where a target's calls go; None where no credential leads there."""
        known = PROVIDERS.get(provider)
        if known is None:
            return None
        if credential is not None:
            row = self.credentials.get(credential)
            if row is None:
                return None
            base_url, api_key = known.completed(row.base_url) or known.base_url, row.api_key
        else:
            base_url, api_key = _from_environment(provider)
        if not base_url or (known.needs_key and not api_key):
            return None
        return Upstream(known, model, base_url.rstrip("/"), api_key)

    def model_names(self) -> list[tuple[str, str]]:
        """(public name, owner): routes first, then priced models that a provider can be asked."""
        names = [(name, "tollgate") for name in self.routes]
        for provider, rows in self.prices.rows.items():
            if self.upstream(provider, "", None) is not None:
                names += [(_public_name(provider, price.model), provider) for _, price in rows]
        return names

    def _read_tenants(self) -> None:
        for tenant in Tenant.objects.filter(version__gt=self.version).iterator():
            self.tenants[tenant.id] = TenantRow(
                tenant.id,
                tenant.external_id,
                tenant.zone,
                tenant.zone_before,
                tenant.zone_changed_us,
                tenant.is_active,
            )

    def _read_keys(self) -> None:
        for key in ApiKey.objects.filter(version__gt=self.version).iterator():
            for digest in self._digests.pop(key.id, ()):
                self.keys.pop(digest, None)
            row = KeyRow(
                key.id,
                key.tenant_id,
                key.prefix,
                tuple(key.allowed_models),
                key.requests_per_minute,
                key.is_active,
                key.expires_at,
            )
            found = {bytes(key.digest): row}
            if key.previous_digest is not None:
                ends = [each for each in (key.expires_at, key.previous_expires_at) if each]
                found[bytes(key.previous_digest)] = replace(row, expires_at=min(ends))
            self.keys |= found
            self._digests[key.id] = tuple(found)

    def _read_budgets(self) -> None:
        for budget in Budget.objects.filter(version__gt=self.version).iterator():
            rows = self.budgets.setdefault(budget.tenant_id, {})
            rows.pop(budget.id, None)
            if budget.is_active:
                rows[budget.id] = BudgetRow(
                    budget.id,
                    budget.tenant_id,
                    budget.scope,
                    budget.api_key_id,
                    budget.period,
                )

    def _read_routes(self) -> None:
        for credential in models.Credential.objects.filter(version__gt=self.version):
            self.credentials.pop(credential.name, None)
            if credential.is_active:
                sealed = bytes(credential.sealed_key)
                self.credentials[credential.name] = CredentialRow(
                    credential.provider,
                    credential.base_url,
                    vault.unseal(sealed) if sealed else DUMMY_KEY,
                )
        changed = models.Route.objects.filter(version__gt=self.version)
        for route in changed.prefetch_related("targets__credential"):
            self.routes.pop(route.name, None)
            if route.is_active:
                self.routes[route.name] = RouteRow(
                    route.name,
                    tuple(
                        (t.provider, t.model, t.credential.name if t.credential else None)
                        for t in route.targets.all()
                    ),
                    route.output_tokens_default,
                )

    def _read_prices(self) -> None:
        if not models.Price.objects.filter(version__gt=self.version).exists():
            return
        prices: dict[str, list[tuple[Mapping[str, object], Price]]] = {}
        for row in models.Price.objects.filter(valid_to=None).order_by("id").iterator():
            price = Price.from_row(
                row.id, row.provider, row.model, row.rates, row.context_window, None
            )
            prices.setdefault(row.provider, []).append((row.match, price))
        self.prices = PriceBook(prices)


def _limits(key: KeyRow, budgets: list[BudgetRow]) -> list[Limit]:
    """The tenant's budgets, and for the key its own ones or, for want of them, the general."""
    found = []
    own = {budget.period for budget in budgets if budget.key_id == key.id}
    for budget in budgets:
        if budget.scope == "tenant":
            scope, subject = "tenant {tenant}", ""
        elif budget.key_id == key.id or (budget.key_id is None and budget.period not in own):
            scope, subject = f"key {key.prefix}…", str(key.id)
        else:
            continue
        scope = f"{scope} ({'daily' if budget.period == 'day' else 'monthly'} budget)"
        period = periods.named(budget.period)
        found.append(Limit(budget.id, scope, subject, period))
    return found


def _public_name(provider: str, model: str) -> str:
    """The bare name where that alone leads to this provider, else with the provider's prefix."""
    return model if choose(model, None) == (provider, model) else f"{provider}/{model}"


@lru_cache(maxsize=64)
def _from_environment(provider: str) -> tuple[str, str]:
    """(base URL, key) from the provider's own variables, else the simulator where there is one."""
    known = PROVIDERS[provider]
    environment = settings.PROVIDER_ENVIRONMENT
    key, url = known.key_in(environment), known.url_in(environment) or known.base_url
    if key or (url and not known.needs_key):
        return url, key
    if provider == "simulator-refuse":
        return settings.SIMULATOR_REFUSE_URL, DUMMY_KEY
    if not settings.SIMULATOR_URL:
        return "", ""
    return known.address_at(settings.SIMULATOR_URL), DUMMY_KEY
