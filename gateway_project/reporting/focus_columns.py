"""The columns of FOCUS 1.4 Cost and Usage, in the order of its document, and our own behind them.

https://focus.finops.org/focus-specification/v1-4/, 2026-11, as third-party lists give it. Level: M
mandatory, C conditional, R recommended.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "1.4"


@dataclass(frozen=True, slots=True)
class FocusColumn:
    """`allowed` lists the only values that the column may have; empty means any."""

    name: str
    level: str
    is_nullable: bool
    allowed: tuple[str, ...] = ()


ALLOWED = {
    "BillingCurrency": ("USD",),
    "ChargeCategory": ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "ChargeClass": ("Correction",),
    "ChargeFrequency": ("One-Time", "Recurring", "Usage-Based"),
    "PricingCategory": ("Standard", "Dynamic", "Committed", "Other"),
    "PricingCurrency": ("USD",),
    "ServiceCategory": ("AI and Machine Learning",),
    "ServiceSubcategory": ("Generative AI",),
    "x_Estimated": ("true", "false"),
}
STANDARD = """
AllocatedMethodDetails R*, AllocatedMethodId C*, AllocatedResourceId C*, AllocatedResourceName C*,
AllocatedTags C*, AvailabilityZone R*, BilledCost M, BillingAccountId M, BillingAccountName M*,
BillingAccountType C, BillingCurrency M, BillingPeriodEnd M, BillingPeriodStart M,
CapacityReservationId C*, CapacityReservationStatus C*, ChargeCategory M, ChargeClass M*,
ChargeDescription M*, ChargeFrequency R, ChargePeriodEnd M, ChargePeriodStart M,
CommitmentDiscountCategory C*, CommitmentDiscountId C*, CommitmentDiscountName C*,
CommitmentDiscountQuantity C*, CommitmentDiscountStatus C*, CommitmentDiscountType C*,
CommitmentDiscountUnit C*, CommitmentProgramEligibilityDetails C*, ConsumedQuantity C*,
ConsumedUnit C*, ContractApplied C*, ContractedCost M, ContractedUnitPrice C*, EffectiveCost M,
HostProviderName M*, InvoiceDetailId C*, InvoiceId C*, InvoiceIssuerName M, ListCost M,
ListUnitPrice C*, PricingCategory C*, PricingCurrency C, PricingCurrencyContractedUnitPrice C*,
PricingCurrencyEffectiveCost C, PricingCurrencyListUnitPrice C*, PricingQuantity M*, PricingUnit M*,
RegionId C*, RegionName C*, ResourceId C*, ResourceName C*, ResourceType C*, ServiceCategory M,
ServiceName M, ServiceProviderName M, ServiceSubcategory R, SkuId C*, SkuMeter C*,
SkuPriceDetails C*, SkuPriceId C*, SubAccountId C*, SubAccountName C*, SubAccountType C*, Tags C*
"""
OWN = "x_Attempts C, x_AuditHead C*, x_Estimated C"


def _columns(text: str) -> tuple[FocusColumn, ...]:
    pairs = [each.split() for each in text.split(",")]
    return tuple(
        FocusColumn(name, level.rstrip("*"), level.endswith("*"), ALLOWED.get(name, ()))
        for name, level in pairs
    )


COLUMNS = (*_columns(STANDARD), *_columns(OWN))
