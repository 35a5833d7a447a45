"""Random postings in random zones: days add up to months, and every cut to the ledger."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budgets import reports
from budgets.models import Tenant
from budgets.reports import Ask, BadAsk
from budgets.rollups import roll_up
from gateway_project.reporting import files
from tests import people
from tests.reporting import postings, readers

ZONES = ("UTC", "Europe/Amsterdam", "Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu")
SINCE, UNTIL = date(2026, 1, 1), date(2027, 1, 1)
SOME = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
moments = st.lists(
    st.integers(postings.at("2026-03-01"), postings.at("2026-04-02")), min_size=1, max_size=25
)


def rows(ask: Ask) -> dict[tuple[str | int, ...], int]:
    with reports.report(ask) as report:
        found = {row.key: row.sums.net_nanos for row in report.rows}
        assert sum(found.values()) == report.total.net_nanos
        assert len(found) == report.groups
    return found


@SOME
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(ZONES), at=moments, rolled=st.booleans())
def test_every_cut_and_file_comes_to_the_ledger(
    seed: int, zone: str, at: list[int], rolled: bool
) -> None:
    with transaction.atomic():
        check(people.tenant("acme", zone), seed, at, rolled)
        transaction.set_rollback(True)


def check(tenant: Tenant, seed: int, at: list[int], rolled: bool) -> None:
    ground = postings.ground(seed, tenant)
    half = len(at) // 2
    ids = frozenset({tenant.id})

    net = postings.post(each for moment in at[:half] for each in ground.bill(moment))
    (roll_up if rolled else int)()
    net += postings.post(each for moment in at[half:] for each in ground.bill(moment))

    for clock in ("utc", "tenant"):
        days = rows(Ask(SINCE, UNTIL, ("day",), clock, ids))
        months = rows(Ask(SINCE, UNTIL, ("month",), clock, ids))
        added: dict[tuple[str | int, ...], int] = {}
        for (day,), nanos in days.items():
            added[(str(day)[:7],)] = added.get((str(day)[:7],), 0) + nanos
        assert added == months
        assert sum(months.values()) == net
    ask = Ask(SINCE, UNTIL, ("tenant", "key", "user", "provider", "model", "tag:team"), tenants=ids)
    assert readers.of_csv(b"".join(files.spend(ask, "csv"))) == net
    assert readers.of_xlsx(b"".join(files.spend(ask, "xlsx"))) == (net, net)
    assert readers.of_focus(b"".join(files.focus(SINCE, UNTIL, ids))) == net


def test_a_tag_that_is_missing_is_a_group_of_its_own(acme: Tenant) -> None:
    ground = postings.ground(1, acme)
    net = postings.post(each for at in range(200) for each in ground.bill(at * 10**9))
    since, until = date(1970, 1, 1), date(1971, 1, 1)

    teams = rows(Ask(since, until, ("tag:team",)))

    assert set(teams) == {("",), ("ads",), ("search",)}
    assert sum(teams.values()) == net
    none = rows(Ask(since, until, ("tag:team",), tag=("team", "")))
    assert none == {("",): teams[("",)]}
    ads = rows(Ask(since, until, ("tag:env",), tag=("team", "ads")))
    assert ads == {("prod",): teams[("ads",)]}


def test_the_dearest_comes_first_where_that_is_asked_for(acme: Tenant) -> None:
    ground = postings.ground(2, acme)
    postings.post(each for at in range(60) for each in ground.bill(at * 10**9))

    found = list(
        rows(Ask(date(1970, 1, 1), date(1971, 1, 1), ("model",), is_dearest_first=True)).values()
    )

    assert found == sorted(found, reverse=True)


def test_nothing_spent_is_a_total_of_nothing() -> None:
    with reports.report(Ask(SINCE, UNTIL)) as report:
        assert (report.groups, report.total.net_nanos, list(report.rows)) == (0, 0, [])


@pytest.mark.parametrize(
    ("param", "wrong"),
    [
        ("until", {"until": SINCE}),
        ("until", {"until": date(2040, 1, 1)}),
        ("by", {"by": ("colour",)}),
        ("by", {"by": ("day", "day")}),
        ("by", {"by": ("tag:a'b",)}),
    ],
)
def test_a_question_without_sense_is_refused_by_name(param: str, wrong: dict[str, object]) -> None:
    asked: dict[str, object] = {"since": SINCE, "until": UNTIL, "by": ("day",)}

    with pytest.raises(BadAsk) as caught:
        Ask(**{**asked, **wrong})  # type: ignore[arg-type]

    assert caught.value.param == param


def test_more_groups_than_a_report_may_have_are_refused(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "GROUPS_MAX", 1)
    ground = postings.ground(3, acme)
    postings.post(each for at in range(60) for each in ground.bill(at * 10**9))

    with (
        pytest.raises(BadAsk, match="at most 1"),
        reports.report(Ask(date(1970, 1, 1), date(1971, 1, 1), ("model",))),
    ):
        pytest.fail("it was answered")
