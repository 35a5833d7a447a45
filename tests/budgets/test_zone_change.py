"""A tenant that moves to another time zone: no instant belongs to two windows, and none to none."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from budgets import periods
from budgets.periods import Interval, Period

ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Africa/Cairo")
DAY_US = 86_400_000_000


def at(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000


def in_force(period: Period, zone: str, now_us: int, before: str, changed_us: int) -> Interval:
    return periods.in_force(period, zone, now_us, zone_before=before, changed_us=changed_us)


def test_the_window_that_is_open_keeps_its_end() -> None:
    changed = at("2026-11-24T10:00:00")

    found = in_force("day", "Asia/Tokyo", at("2026-11-24T20:00:00"), "UTC", changed)

    assert found == Interval(at("2026-11-24T00:00:00"), at("2026-11-25T00:00:00"))


def test_the_first_window_of_the_new_zone_begins_where_the_old_one_ended() -> None:
    changed = at("2026-11-24T10:00:00")

    found = in_force("day", "Asia/Tokyo", at("2026-11-25T01:00:00"), "UTC", changed)

    assert found == Interval(at("2026-11-25T00:00:00"), at("2026-11-25T15:00:00"))


@given(
    st.sampled_from(("day", "month")),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.integers(at("2026-01-01"), at("2027-01-01")),
    st.integers(0, 70 * DAY_US),
)
def test_windows_follow_each_other_without_gap_or_overlap(
    period: Period, zone: str, before: str, changed_us: int, later_us: int
) -> None:
    now_us = changed_us + later_us

    found = in_force(period, zone, now_us, before, changed_us)
    following = in_force(period, zone, found.ends_us, before, changed_us)

    assert found.starts_us <= now_us < found.ends_us
    assert following.starts_us == found.ends_us
    assert in_force(period, zone, found.ends_us - 1, before, changed_us) == found
