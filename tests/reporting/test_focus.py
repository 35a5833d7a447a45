"""FOCUS 1.4 by its own table: names, order, nulls, allowed values, and costs that multiply."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.models import Tenant
from budgets.operations import Posting, Tokens
from gateway_project.reporting import files, focus_file
from gateway_project.reporting.focus import Reason
from gateway_project.reporting.focus_columns import COLUMNS
from providers.pricing import PARTS_PER_DOLLAR, Price, cost, parts
from providers.types import Usage
from tests.reporting import postings, readers

SINCE, UNTIL = date(2026, 1, 1), date(2026, 3, 1)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T00:00:00Z")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
COSTS = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
NUMBERS = (*COSTS, "ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity")
MOMENTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
Rows = list[dict[str, str]]


def written(tenants: frozenset[int] | None = None) -> bytes:
    return b"".join(files.focus(SINCE, UNTIL, tenants))


@pytest.fixture
def rows(acme: Tenant, globex: Tenant) -> Rows:
    ground = postings.ground(5, acme, globex)
    start = postings.at("2026-01-01")
    postings.post(
        each for number in range(200) for each in ground.bill(start + number * 24 * 10**9)
    )
    return readers.rows_of_csv(written())


def test_there_are_65_columns_in_the_order_of_the_document_and_then_our_own(rows: Rows) -> None:
    names = list(rows[0])

    assert names == [column.name for column in COLUMNS]
    assert names[:65] == sorted(names[:65])
    assert all(name.startswith("x_") for name in names[65:])


def test_a_column_holds_what_it_may(rows: Rows) -> None:
    values = {column: {row[column.name] for row in rows} for column in COLUMNS}

    assert [c.name for c in COLUMNS if not c.is_nullable and "" in values[c]] == []
    assert [c.name for c in COLUMNS if c.allowed and not values[c] <= {*c.allowed, ""}] == []


def test_a_number_has_no_sign_of_a_currency_and_no_comma(rows: Rows) -> None:
    found = {row[name] for name in NUMBERS for row in rows} - {""}

    assert [text for text in found if not NUMBER.fullmatch(text)] == []


def test_a_moment_is_midnight_in_utc(rows: Rows) -> None:
    found = {row[name] for name in MOMENTS for row in rows}

    assert [text for text in found if not MOMENT.fullmatch(text)] == []


def test_quantity_times_price_is_the_cost_exactly(rows: Rows) -> None:
    usage = [row for row in rows if row["ChargeCategory"] == "Usage"]

    with localcontext() as context:
        context.prec = 60
        wrong = [
            row
            for row in usage
            if Decimal(row["PricingQuantity"]) * Decimal(row["ListUnitPrice"])
            != Decimal(row["ListCost"])
        ]
    assert wrong == []
    assert {row["PricingUnit"] for row in usage} == {"Tokens", "Requests"}
    assert all(len({row[name] for name in COSTS}) == 1 for row in rows)


def test_what_tokens_do_not_explain_has_rows_that_say_why(rows: Rows) -> None:
    rest = [row for row in rows if row["ChargeCategory"] == "Adjustment"]

    said = {row["ChargeDescription"] for row in rest}
    assert said == {str(reason) for reason in Reason if reason is not Reason.NO_PRICE}
    bounds = [row for row in rest if row["ChargeDescription"] == Reason.UPPER_BOUND]
    assert {row["x_Estimated"] for row in bounds} == {"true"}
    assert all(row["PricingQuantity"] == row["SkuId"] == "" for row in rest)


def test_a_correction_of_an_earlier_month_says_so_in_the_month_it_was_found(rows: Rows) -> None:
    late = [row for row in rows if row["ChargeClass"] == "Correction"]

    assert late
    assert all(row["BillingPeriodStart"] > row["ChargePeriodStart"] for row in late)
    others = [row for row in rows if not row["ChargeClass"]]
    assert all(row["BillingPeriodStart"] <= row["ChargePeriodStart"] for row in others)
    assert all(row["BillingPeriodEnd"] >= row["ChargePeriodEnd"] for row in others)


def test_tags_and_prices_are_flat_json(rows: Rows) -> None:
    tags = [orjson.loads(row["Tags"]) for row in rows]

    assert {"team": "search", "unit": "a-b"} in tags
    assert all(isinstance(value, str) for each in tags for value in each.values())
    details = [orjson.loads(row["SkuPriceDetails"]) for row in rows if row["SkuPriceDetails"]]
    assert all(name.startswith("x_") for each in details for name in each)


def test_the_rows_come_to_the_ledger_to_the_last_nano(rows: Rows) -> None:
    assert readers.of_focus(written()) == readers.of_ledger()


def test_a_posting_without_a_price_row_is_still_in_the_sum(acme: Tenant) -> None:
    hold = replace(postings.ground(1, acme).hold(postings.at("2026-01-05")), price_id=0)
    tokens = Tokens(input=7)
    postings.post([Posting(hold, 0, "provider_usage", "ok", tokens, 5, 0, 0, hold.opened_us)])

    [row] = readers.rows_of_csv(written())

    assert (row["BilledCost"], row["ChargeDescription"]) == ("0.000000005", Reason.NO_PRICE)


def test_somebody_elses_tenant_is_not_in_the_file(rows: Rows, acme: Tenant) -> None:
    found = readers.rows_of_csv(written(frozenset({acme.id})))

    assert {row["SubAccountId"] for row in found} == {"acme"}
    assert {row["SubAccountId"] for row in rows} == {"acme", "globex"}


@given(st.sampled_from(sorted(postings.RATES)), *[st.integers(0, 3000)] * 5)
def test_parts_come_to_the_cost(
    name: str, fresh: int, read: int, write: int, long: int, output: int
) -> None:
    price = Price.from_row(1, "p", name, postings.RATES[name], None, None)
    usage = Usage(fresh + read + write + long, output, read, write + long, long)

    found = parts(usage, price)

    nano = PARTS_PER_DOLLAR // 10**9
    assert -(-sum(part.quantity * part.rate for part in found) // nano) == cost(usage, price)


@given(st.integers(-(10**30), 10**30))
def test_money_is_written_out_exactly(amount: int) -> None:
    with localcontext() as context:
        context.prec = 60
        assert Decimal(focus_file.exact(amount)) * PARTS_PER_DOLLAR == amount
