"""Every zone of the tz database, at each of its clock changes, and the oddest days of the past.

Fixed dates lie in the past: governments still change the future, and the database follows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.periods import (
    Interval,
    Period,
    UnknownZone,
    check_zone,
    interval,
    iso,
    local_day,
    named,
    utc_day,
)

ROOT = Path(__file__).resolve().parents[2]
ZONES = sorted(files("tzdata").joinpath("zones").read_text("utf-8").split())
PERIODS: tuple[Period, ...] = get_args(Period)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
HOUR_US = 3_600_000_000
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)

moments = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001 - Hypothesis takes naive bounds with a zone
    max_value=datetime(2035, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def us(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


@cache
def tz(zone: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file)


def wall(zone: str, at_us: int) -> datetime:
    """What a clock on the wall shows."""
    return (EPOCH + at_us * MICROSECOND).astimezone(tz(zone)).replace(tzinfo=None)


def days_of_change(zone: str) -> list[datetime]:
    """Noons, UTC, of the days before, on and after each change of the offset."""
    noons = [FIRST + DAY / 2 + number * DAY for number in range((LAST - FIRST).days)]
    offsets = [noon.astimezone(tz(zone)).utcoffset() for noon in noons]
    return [
        noons[at] + near * DAY
        for at, (before, after) in enumerate(pairwise(offsets))
        if before != after
        for near in (-1, 0, 1, 2)
    ]


def begins_a_day(zone: str, at_us: int) -> bool:
    """Local midnight, or the instant at which the clock jumped over it."""
    before, here = wall(zone, at_us - 1), wall(zone, at_us)
    is_midnight = here.time().isoformat() == "00:00:00"
    jumped = here - before > MICROSECOND
    return before.date() < here.date() and (is_midnight or jumped)


def is_whole(period: Period, zone: str, at_us: int) -> bool:
    """Contains its instant, is the same seen from either end, and touches both neighbours."""
    here = interval(period, zone, at_us)
    return (
        here.starts_us <= at_us < here.ends_us
        and interval(period, zone, here.starts_us) == here
        and interval(period, zone, here.ends_us - 1) == here
        and interval(period, zone, here.ends_us).starts_us == here.ends_us
        and interval(period, zone, here.starts_us - 1).ends_us == here.starts_us
    )


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_clock_change_days_begin_at_midnight_and_leave_no_gap(zone: str) -> None:
    instants = [microseconds(noon) for noon in days_of_change(zone)]
    starts = [interval("day", zone, at).starts_us for at in instants]

    assert [at for at in instants if not is_whole("day", zone, at)] == []
    assert [iso(at) for at in starts if not begins_a_day(zone, at)] == []


@pytest.mark.parametrize("zone", ZONES)
def test_the_months_of_twelve_years_add_up_to_twelve_years(zone: str) -> None:
    months = [interval("month", zone, microseconds(FIRST) + 15 * 24 * HOUR_US)]
    while len(months) < 144:
        months.append(interval("month", zone, months[-1].ends_us))

    assert all(before.ends_us == after.starts_us for before, after in pairwise(months))
    assert all(begins_a_day(zone, month.starts_us) for month in months)
    assert [wall(zone, month.starts_us).day for month in months] == [1] * 144
    assert wall(zone, months[0].starts_us).date() == date(2024, 1, 1)
    assert wall(zone, months[-1].ends_us).date() == date(2036, 1, 1)


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Amsterdam", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe"]
)
def test_the_days_of_a_leap_year_add_up_to_the_year(zone: str) -> None:
    days = [interval("day", zone, us(f"2028-01-01T12:00:00{wall_offset(zone)}"))]
    while len(days) < 366:
        days.append(interval("day", zone, days[-1].ends_us))

    assert [local_day(zone, day.starts_us) for day in days] == [
        (date(2028, 1, 1) + number * DAY).isoformat() for number in range(366)
    ]
    assert sum(day.ends_us - day.starts_us for day in days) == 366 * 24 * HOUR_US


def wall_offset(zone: str) -> str:
    return datetime(2028, 1, 1, 12, tzinfo=tz(zone)).isoformat()[-6:]


@given(st.sampled_from(ZONES), st.sampled_from(PERIODS), moments)
def test_any_instant_of_any_zone_has_one_whole_interval(
    zone: str, period: Period, now: datetime
) -> None:
    here = interval(period, zone, microseconds(now))

    assert is_whole(period, zone, microseconds(now))
    assert begins_a_day(zone, here.starts_us)
    assert begins_a_day(zone, here.ends_us)


@given(st.sampled_from(ZONES), moments)
def test_the_local_day_is_the_same_all_through_its_interval(zone: str, now: datetime) -> None:
    here = interval("day", zone, microseconds(now))

    names = {local_day(zone, at) for at in (here.starts_us, microseconds(now), here.ends_us - 1)}

    assert names == {now.astimezone(tz(zone)).date().isoformat()}


@pytest.mark.parametrize(
    ("zone", "noon", "starts", "hours"),
    [
        ("UTC", "2025-03-30T12:00:00Z", "2025-03-30T00:00:00Z", 24),
        ("Asia/Tokyo", "2025-03-30T12:00:00Z", "2025-03-29T15:00:00Z", 24),
        ("Asia/Kathmandu", "2025-03-30T12:00:00Z", "2025-03-29T18:15:00Z", 24),
        ("Europe/Amsterdam", "2025-03-30T12:00:00Z", "2025-03-29T23:00:00Z", 23),
        ("Europe/Amsterdam", "2025-10-26T12:00:00Z", "2025-10-25T22:00:00Z", 25),
        ("Australia/Lord_Howe", "2025-10-05T00:00:00Z", "2025-10-04T13:30:00Z", 23.5),
        ("Australia/Lord_Howe", "2025-04-06T00:00:00Z", "2025-04-05T13:00:00Z", 24.5),
        # No midnight: the day begins at 01:00, when the clock has jumped.
        ("Africa/Cairo", "2025-04-25T12:00:00Z", "2025-04-24T22:00:00Z", 23),
        ("Asia/Beirut", "2025-03-30T12:00:00Z", "2025-03-29T22:00:00Z", 23),
        ("America/Havana", "2025-03-09T12:00:00Z", "2025-03-09T05:00:00Z", 23),
        ("America/Santiago", "2025-09-07T12:00:00Z", "2025-09-07T04:00:00Z", 23),
        # The jump begins at 23:30 of the day before.
        ("America/Toronto", "1919-03-31T12:00:00Z", "1919-03-31T04:30:00Z", 23.5),
        # Two midnights: the day begins at the first.
        ("America/Havana", "2025-11-02T12:00:00Z", "2025-11-02T04:00:00Z", 25),
        ("Atlantic/Azores", "2025-10-26T12:00:00Z", "2025-10-26T00:00:00Z", 25),
        # The clock goes back an hour at midnight, into the day that it ends.
        ("Africa/Cairo", "2025-10-30T12:00:00Z", "2025-10-29T21:00:00Z", 25),
        ("Africa/Cairo", "2025-10-31T12:00:00Z", "2025-10-30T22:00:00Z", 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(
    zone: str, noon: str, starts: str, hours: float
) -> None:
    day = interval("day", zone, us(noon))

    assert iso(day.starts_us) == starts
    assert day.ends_us - day.starts_us == hours * HOUR_US


def test_the_day_that_apia_skipped_belongs_to_no_interval() -> None:
    before = interval("day", "Pacific/Apia", us("2011-12-30T09:59:59Z"))
    after = interval("day", "Pacific/Apia", before.ends_us)

    assert iso(before.ends_us) == "2011-12-30T10:00:00Z"
    assert local_day("Pacific/Apia", before.ends_us - 1) == "2011-12-29"
    assert local_day("Pacific/Apia", after.starts_us) == "2011-12-31"
    assert after.ends_us - after.starts_us == 24 * HOUR_US


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("Pacific/Kwajalein", "1993-08-21T12:00:00Z"),
        ("Pacific/Kiritimati", "1994-12-31T10:00:00Z"),
        ("America/St_Johns", "2009-11-01T02:30:59Z"),
        ("America/St_Johns", "2009-11-01T02:31:00Z"),
        ("America/St_Johns", "2009-11-01T03:29:59Z"),
        ("America/St_Johns", "2009-11-01T03:30:00Z"),
        ("Asia/Manila", "1844-12-31T12:00:00Z"),
        ("Africa/Monrovia", "1972-01-07T00:44:30Z"),
        ("Africa/Casablanca", "2025-02-23T02:00:00Z"),
        ("Antarctica/Troll", "2025-03-30T01:00:00Z"),
        ("UTC", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_the_oddest_clock_changes_leave_no_gap(period: Period, zone: str, at: str) -> None:
    assert is_whole(period, zone, us(at) - 1)
    assert is_whole(period, zone, us(at))


def test_a_clock_set_back_over_the_end_of_a_month_does_not_reopen_it() -> None:
    repeated = us("2009-11-01T03:00:00Z")

    month = interval("month", "America/St_Johns", repeated)

    assert local_day("America/St_Johns", repeated) == "2009-10-31"
    assert month == Interval(us("2009-11-01T02:30:00Z"), us("2009-12-01T03:30:00Z"))


@pytest.mark.parametrize(
    ("at", "starts", "ends"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2026-02-28T12:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2026-12-31T23:59:59.999999Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
    ],
)
def test_a_month_is_a_calendar_month(at: str, starts: str, ends: str) -> None:
    assert interval("month", "UTC", us(at)) == Interval(us(starts), us(ends))


def test_a_leap_day_is_a_day() -> None:
    day = interval("day", "UTC", us("2028-02-29T12:00:00Z"))

    assert day == Interval(us("2028-02-29T00:00:00Z"), us("2028-03-01T00:00:00Z"))


def test_a_month_in_tokyo_begins_at_midnight_in_tokyo() -> None:
    month = interval("month", "Asia/Tokyo", us("2026-11-30T15:00:00Z"))

    assert month == Interval(us("2026-12-01T00:00:00+09:00"), us("2027-01-01T00:00:00+09:00"))


def test_the_first_call_after_midnight_is_in_the_new_day_without_any_job() -> None:
    before = interval("day", "Asia/Tokyo", us("2026-11-24T23:59:59.999999+09:00"))
    after = interval("day", "Asia/Tokyo", us("2026-11-25T00:00:00+09:00"))

    assert before.ends_us == after.starts_us == us("2026-11-25T00:00:00+09:00")


def test_one_instant_can_be_two_days() -> None:
    at = us("2026-11-24T23:30:00Z")

    assert utc_day(at) == "2026-11-24"
    assert local_day("Europe/Amsterdam", at) == "2026-11-25"
    assert local_day("America/Santiago", at) == "2026-11-24"


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_is_found_by_the_name_in_its_row(name: Period) -> None:
    assert named(name) == name


@pytest.mark.parametrize("name", ["", "Day", "days", "week", "year"])
def test_any_other_period_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is not a period"):
        named(name)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/Argentina/Ushuaia", "GB"])
def test_a_zone_of_the_database_is_accepted(zone: str) -> None:
    check_zone(zone)


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus_Mons",
        "europe/amsterdam",
        "Europe",
        "Europe/Amsterdam ",
        "UTC+2",
        "localtime",
        "../zones",
        "/etc/localtime",
        "Europe/Amsterdam\0",
        "x" * 5_000,
    ],
)
def test_any_other_name_is_refused_in_plain_words(zone: str) -> None:
    with pytest.raises(UnknownZone, match="is not a time zone, such as Europe/Amsterdam") as caught:
        check_zone(zone)

    assert len(str(caught.value)) < 200


def test_an_interval_of_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZone, match="Mars"):
        interval("day", "Mars/Olympus_Mons", 0)


def test_the_zone_files_of_the_host_do_not_move_a_window(tmp_path: Path) -> None:
    host = tmp_path / "Europe"
    host.mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (host / "Amsterdam").write_bytes(tokyo)
    code = "from budgets.periods import *; print(interval('day', 'Europe/Amsterdam', 0).starts_us)"

    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    ).stdout

    assert int(printed) == -HOUR_US


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_795_478_400_000_000, "2026-11-24T00:00:00Z"),
        (1_795_478_400_100_000, "2026-11-24T00:00:00.100000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_an_instant_is_written_in_utc_with_a_z(at_us: int, text: str) -> None:
    assert iso(at_us) == text
    assert us(text) == at_us
