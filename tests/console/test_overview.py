"""Overview: what was spent, called and held, and what needs somebody; each sees only theirs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from budgets import rollups
from budgets.models import DailySpend, Posting, Tenant
from gateway_project import administration
from gateway_project.clock import now_us
from gateway_project.models import LoggedCall
from gateway_project.roles import Role
from tests import people


def spend(tenant: Tenant, model: str, nanos: int, seq: int) -> None:
    """One attempt that cost this much just now, as the ledger would have posted it."""
    now, day = now_us(), datetime.now(UTC).date().isoformat()
    known = dict.fromkeys(("price_id", "cache_read_tokens", "cache_write_tokens"), 0)
    Posting.objects.create(
        attempt=f"{tenant.external_id}-{seq}",
        no=0,
        call=f"{tenant.external_id}-{seq}",
        call_no=0,
        tenant_id=tenant.id,
        seq=seq,
        key_id=1,
        day_utc=day,
        day_local=day,
        provider="simulator",
        model=model,
        basis="reported",
        outcome="ok",
        input_tokens=10,
        output_tokens=5,
        reasoning_tokens=0,
        held_nanos=nanos,
        debit_nanos=nanos,
        credit_nanos=0,
        upper_nanos=nanos,
        windows="",
        opened_us=now,
        posted_us=now,
        end_user="",
        tags="",
        **known,
    )


def log(tenant: Tenant, call: str, status: int = 200, model: str = "sim-echo") -> None:
    LoggedCall.objects.create(
        call=call,
        tenant_id=tenant.id,
        key_id=1,
        model=model,
        status=status,
        is_stream=False,
        opened_us=now_us(),
        milliseconds=1,
        count=1,
    )


def chart_in(page: str) -> dict[str, list[int]]:
    found = re.search(r'<script id="spend-data" type="application/json">(.*?)</script>', page)
    assert found is not None
    models: dict[str, list[int]] = json.loads(found[1])["models"]
    return models


def test_spend_counts_what_the_rollup_has_and_what_it_has_not_yet(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    spend(acme, "sim-echo", 1_000_000_000, 11)
    rollups.roll_up()
    spend(acme, "sim-echo", 250_000_000, 12)

    page = alice.get("/").content.decode()

    assert DailySpend.objects.get().debit_nanos == 1_000_000_000
    assert "$1.25" in page
    assert chart_in(page)["sim-echo"][-1] == 1_250_000_000
    assert "Spend today (UTC)" in page


def test_the_chart_names_the_dearest_models_and_adds_up_the_others(acme: Tenant) -> None:
    for at in range(9):
        spend(acme, f"model-{at}", 100 - at, 20 + at)

    models = chart_in(people.client("alice", Role.OWNER).get("/?part=spend").content.decode())

    assert list(models) == [f"model-{at}" for at in range(6)] + ["other models"]
    assert sum(sum(row) for row in models.values()) == sum(100 - at for at in range(9))


def test_calls_and_errors_of_today_are_counted(acme: Tenant) -> None:
    log(acme, "a")
    log(acme, "b", status=429)

    page = people.client("alice", Role.OWNER).get("/?part=tiles").content.decode()

    assert "50.0 %" in page
    assert "1 refused or failed" in page


def test_what_needs_attention_is_named_with_the_page_that_helps(acme: Tenant) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    administration.create_key(people.ACTOR, acme, "nightly", expires_at=soon)
    administration.set_route(people.ACTOR, "lost", [("simulator", "no-such-model", None)])
    administration.set_budget(people.ACTOR, people.tenant("full"), "day", 0)

    page = people.client("alice", Role.OWNER).get("/?part=attention").content.decode()

    assert "Acme has no limit." in page
    assert "The key nightly of Acme ends on" in page
    assert "The route lost has no price for simulator/no-such-model." in page
    assert "Full: the daily limit of $0.00 is used to 100 %." in page
    assert "alice, owner of all tenants, has no second factor." in page
    assert "/budgets/?tenant=acme" in page


def test_where_all_is_well_it_says_so(acme: Tenant) -> None:
    administration.set_budget(people.ACTOR, acme, "day", 1_000_000_000)

    page = people.client("olga", Role.OWNER, acme).get("/?part=attention").content.decode()

    assert "are in order" in page


@pytest.mark.parametrize("part", ["tiles", "spend", "attention", "tenants", "latest"])
def test_nobody_sees_figures_of_others(acme: Tenant, globex: Tenant, part: str) -> None:
    spend(acme, "secret-model", 7_770_000_000, 11)
    log(acme, "secret-call", model="secret-model")
    administration.create_key(
        people.ACTOR, acme, "x", expires_at=datetime.now(UTC) + timedelta(days=1)
    )

    page = people.client("charlie", Role.OWNER, globex).get(f"/?part={part}").content.decode()

    assert "secret" not in page
    assert "$7.77" not in page
    assert "Acme" not in page


def test_a_viewer_sees_figures_but_no_single_requests(acme: Tenant) -> None:
    log(acme, "a-call")
    bob = people.client("bob", Role.VIEWER, acme)

    page = bob.get("/").content.decode()

    assert "Calls today" in page
    assert "Latest requests" not in page
    assert "a-call" not in bob.get("/?part=latest").content.decode()


def test_the_latest_requests_lead_to_their_pages(acme: Tenant) -> None:
    log(acme, "a-call", model="<img src=x onerror=alert(1)>")

    page = people.client("alice", Role.OWNER).get("/").content.decode()

    assert "/requests/a-call/" in page
    assert "<img src=x" not in page


def test_a_part_that_there_is_not_is_not_found(acme: Tenant) -> None:
    assert people.client("alice", Role.OWNER).get("/?part=nothing").status_code == 404
