"""Charges as a FOCUS 1.4 Cost and Usage CSV. Times are UTC, money is US dollars, exact.

A null is an empty cell without quotes; texts are quoted, and safe to open in a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import islice

import orjson
from django.conf import settings

from audit.models import Head
from budgets.models import ApiKey, Tenant
from budgets.snapshot import snapshot
from providers.pricing import PARTS_PER_DOLLAR

from . import csv_file
from .focus import Charge, Reason, charges
from .focus_columns import COLUMNS

CHARGES_AT_ONCE = 500
DECIMALS = len(str(PARTS_PER_DOLLAR)) - 1
METERS = {
    "input": "Input Tokens",
    "cache_read": "Cached Input Tokens",
    "cache_write": "Cache Write Tokens",
    "output": "Output Tokens",
    "reasoning": "Reasoning Tokens",
    "request": "Requests",
    "request_of_1000": "Requests Priced by the Thousand",
}
NOTHING = dict.fromkeys((column.name for column in COLUMNS), "")


def usage(since: date, until: date, tenants: frozenset[int] | None) -> Iterator[bytes]:
    """The file in pieces, from one frozen view."""
    yield csv_file.line(csv_file.text(column.name) for column in COLUMNS).encode()
    with snapshot(), closing(charges(since, until, tenants)) as found:
        yield from csv_file.joined(_lines(found))


def _lines(found: Iterator[Charge]) -> Iterator[str]:
    while some := list(islice(found, CHARGES_AT_ONCE)):
        tenants = Tenant.objects.in_bulk({each.group.tenant_id for each in some})
        keys = ApiKey.objects.in_bulk({each.group.key_id for each in some})
        ids = {each.group.tenant_id for each in some}
        heads = {head.tenant: head for head in Head.objects.filter(tenant__in=ids)}
        for each in some:
            own = {
                **NOTHING,
                **_money(each),
                **_time(each),
                **_what(each),
                **_whose(each, tenants, keys),
                **_own(each, heads),
            }
            yield csv_file.line(own.values())


def _money(each: Charge) -> dict[str, str]:
    cost = exact(each.amount.cost)
    found = dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost)
    found |= dict.fromkeys(("BillingCurrency", "PricingCurrency"), csv_file.text("USD"))
    found["PricingCurrencyEffectiveCost"] = cost
    if isinstance(each.meter.kind, Reason):
        return found
    price, quantity = exact(each.meter.rate), str(each.amount.quantity)
    unit = csv_file.text("Requests" if each.meter.kind.startswith("request") else "Tokens")
    found |= dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), quantity)
    found |= dict.fromkeys(("ConsumedUnit", "PricingUnit"), unit)
    prices = (
        "ListUnitPrice",
        "ContractedUnitPrice",
        "PricingCurrencyListUnitPrice",
        "PricingCurrencyContractedUnitPrice",
    )
    return found | dict.fromkeys(prices, price)


def _time(each: Charge) -> dict[str, str]:
    """A correction of an earlier month is billed in the month in which it was found."""
    day = date.fromisoformat(each.group.day_utc)
    month = date.fromisoformat(f"{each.meter.corrected_in or each.group.day_utc[:7]}-01")
    return {
        "BillingPeriodStart": _midnight(month),
        "BillingPeriodEnd": _midnight((month + timedelta(days=31)).replace(day=1)),
        "ChargePeriodStart": _midnight(day),
        "ChargePeriodEnd": _midnight(day + timedelta(days=1)),
    }


def _what(each: Charge) -> dict[str, str]:
    group, kind = each.group, each.meter.kind
    is_rest = isinstance(kind, Reason)
    meter = METERS.get(kind, kind)
    found = {
        "ChargeCategory": "Adjustment" if is_rest else "Usage",
        "ChargeClass": "Correction" if each.meter.corrected_in else "",
        "ChargeDescription": str(kind) if is_rest else f"{meter} of {group.model}",
        "ChargeFrequency": "Usage-Based",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ServiceName": f"{group.provider} models",
        "ServiceProviderName": group.provider,
        "HostProviderName": group.provider,
        "InvoiceIssuerName": group.provider,
    }
    if not is_rest:
        found["PricingCategory"] = "Standard"
        found["SkuId"] = f"{group.provider}/{group.model}/{kind}"
        found["SkuMeter"] = meter
        found["SkuPriceId"] = str(group.price_id)
        found["SkuPriceDetails"] = _json({"x_Model": group.model, "x_TokenKind": kind})
    return {name: csv_file.text(value) if value else "" for name, value in found.items()}


def _whose(each: Charge, tenants: dict[int, Tenant], keys: dict[int, ApiKey]) -> dict[str, str]:
    tenant, key = tenants.get(each.group.tenant_id), keys.get(each.group.key_id)
    tags = dict(tag.split("=", 1) for tag in each.group.tags.split(",") if "=" in tag)
    found = {
        "BillingAccountId": settings.SECRETS.audit_origin,
        "BillingAccountName": "Tollgate",
        "BillingAccountType": "Organization",
        "SubAccountId": tenant.external_id if tenant else str(each.group.tenant_id),
        "SubAccountName": tenant.name if tenant else "",
        "SubAccountType": "Tenant",
        "ResourceId": str(each.group.key_id),
        "ResourceName": key.name if key else "",
        "ResourceType": "API Key",
        "Tags": _json(tags),
    }
    return {name: csv_file.text(value) if value else "" for name, value in found.items()}


def _own(each: Charge, heads: dict[int, Head]) -> dict[str, str]:
    head = heads.get(each.group.tenant_id)
    return {
        "x_Attempts": str(each.amount.attempts),
        "x_AuditHead": csv_file.text(f"{head.seq}:{bytes(head.hash).hex()}") if head else "",
        "x_Estimated": csv_file.text("true" if each.meter.is_estimated else "false"),
    }


def exact(parts: int) -> str:
    """10^-24 dollars as decimal text in dollars: every digit, no exponent, no idle zeros."""
    whole, rest = divmod(abs(parts), PARTS_PER_DOLLAR)
    decimals = f"{rest:0{DECIMALS}d}".rstrip("0")
    return f"{'-' if parts < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"


def _midnight(day: date) -> str:
    return csv_file.text(f"{day.isoformat()}T00:00:00Z")


def _json(fields: dict[str, str]) -> str:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
