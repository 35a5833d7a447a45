"""Texts that a spreadsheet would run come out as texts, in every text column of every file."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import UTC, date, datetime

import openpyxl
import pytest

from budgets.models import ApiKey, Tenant
from budgets.operations import Posting, Tokens
from budgets.reports import Ask
from gateway_project import administration
from gateway_project.models import Price
from gateway_project.reporting import files
from tests.reporting import postings, readers

SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
PAYLOADS = [
    *(f"{sign}1+1" for sign in SIGNS),
    *(f"{sign}cmd|' /C calc'!A0" for sign in SIGNS),
    '"=1+1', ";=1", ",=1", " =1", "'=1", "|=1", ',"=1', "\t=1", ";-1", ",@SUM(1)",
    '=HYPERLINK("http://x","y")', "=1,2", "=1;2", '=1"', "+1e3", "-", "--1", "@",
]  # fmt: skip
BY = ("tenant", "key", "user", "provider", "model", "tag:team")
SINCE, UNTIL = date(1970, 1, 1), date(1970, 2, 1)


def test_there_are_forty_payloads() -> None:
    assert len(set(PAYLOADS)) == 40


@pytest.fixture
def hostile(acme: Tenant) -> int:
    """One posting per payload, with it in every text that a report shows."""
    made = []
    for number, payload in enumerate(PAYLOADS):
        tenant = administration.create_tenant("user:test", f"t{number}", payload)
        ApiKey.objects.create(
            tenant=tenant, name=payload, prefix=payload[:16], digest=number.to_bytes(32, "big")
        )
        price = Price.objects.create(
            provider=payload, model=payload, match={}, rates={"input_mtok": "1"},
            valid_from=datetime(2020, 1, 1, tzinfo=UTC), source="test", source_version="1",
        )  # fmt: skip
        keys = list(ApiKey.objects.filter(tenant=tenant))
        own = postings.Ground([tenant], keys, [price], random.Random(number))
        hold = replace(own.hold(number), user=payload, tags=f"team={payload.split(',')[0]}")
        made.append(Posting(hold, 0, "provider_usage", "ok", Tokens(input=1000), 1000000, 0, 0, 1))
    return postings.post(made)


def test_csv_has_no_cell_that_runs(hostile: int) -> None:
    data = b"".join(files.spend(Ask(SINCE, UNTIL, BY), "csv"))

    rows = readers.rows_of_csv(data)

    assert readers.of_csv(data) == hostile
    assert {row["tenant_name"] for row in rows} == {f"'{payload}" for payload in PAYLOADS}
    assert {row["user"] for row in rows} == {f"'{payload}" for payload in PAYLOADS}
    assert [cell for row in rows for cell in row.values() if cell[:1] in SIGNS] == []


def test_focus_has_no_cell_that_runs(hostile: int) -> None:
    data = b"".join(files.focus(SINCE, UNTIL, None))

    rows = readers.rows_of_csv(data)

    assert readers.of_focus(data) == hostile
    assert {row["ResourceName"] for row in rows} == {f"'{payload}" for payload in PAYLOADS}
    assert [cell for row in rows for cell in row.values() if cell[:1] in SIGNS] == []


def test_xlsx_has_texts_as_texts(hostile: int) -> None:
    data = b"".join(files.spend(Ask(SINCE, UNTIL, BY), "xlsx"))

    sheet = openpyxl.load_workbook(io.BytesIO(data))["Spend"]

    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert readers.of_xlsx(data) == (hostile, hostile)


def test_a_credit_stays_a_number(acme: Tenant) -> None:
    ground = postings.ground(1, acme)
    bill = Posting(ground.hold(1), 0, "upper_bound", "expired", Tokens(), 0, 0, 0, 1)
    postings.post([bill, replace(bill, no=1, credit_nanos=1_500_000_001)])

    data = b"".join(files.spend(Ask(SINCE, UNTIL, ("tenant",)), "csv"))

    assert b",-1.500000001,0,1500000001,-1500000001\r\n" in data
    assert readers.of_xlsx(b"".join(files.spend(Ask(SINCE, UNTIL, ("tenant",)), "xlsx")))[0] < 0
