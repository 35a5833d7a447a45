"""Days and months in a tenant's own zone, as half-open intervals of UTC microseconds. Pure.

An interval begins at local midnight; where a zone skips that midnight, at the first instant that
exists; where it comes twice, at the first. Intervals of a zone leave no gap and never overlap, on
days of 23 and 25 hours too. A day that a zone skipped as a whole has no interval.

Zones come from the pinned tzdata package and never from the files of the host, so that two hosts
agree where a window ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

Period = Literal["day", "month"]
INTERVALS_MAX = 10_000
STARTS_MAX = 10_000
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000


class UnknownZone(ValueError):
    """No time zone has this name."""


@dataclass(frozen=True, slots=True)
class Interval:
    """[starts_us, ends_us), microseconds since the epoch, UTC."""

    starts_us: int
    ends_us: int


_latest: dict[tuple[str, str], Interval] = {}


def interval(period: Period, zone: str, now_us: int) -> Interval:
    """The day or month of `zone` that contains `now_us`; raises UnknownZone.

    Nearly every call asks for the interval of the call before it, so the latest one is kept.
    """
    known = _latest.get((period, zone))
    if known is not None and known.starts_us <= now_us < known.ends_us:
        return known
    found = _find(period, zone, now_us)
    if len(_latest) >= INTERVALS_MAX:
        _latest.clear()
    _latest[period, zone] = found
    return found


def in_force(
    period: Period, zone: str, now_us: int, *, zone_before: str = "", changed_us: int = 0
) -> Interval:
    """As `interval`, for a zone that replaced `zone_before` at `changed_us`.

    The interval that was open at the change keeps its end; the first of the new zone begins there,
    so it is shorter or longer than others, and no instant belongs to two.
    """
    if not zone_before:
        return interval(period, zone, now_us)
    last = interval(period, zone_before, changed_us)
    if now_us < last.ends_us:
        return interval(period, zone_before, now_us)
    found = interval(period, zone, now_us)
    return Interval(max(found.starts_us, last.ends_us), found.ends_us)


def _find(period: Period, zone: str, now_us: int) -> Interval:
    first = _first_day(period, _local_date(zone, now_us))
    following = _following(period, first)
    found = Interval(_start(zone, first), _start(zone, following))
    if now_us < found.ends_us:
        return found
    # A clock set back over midnight shows the old date again, after the new day has begun.
    return Interval(found.ends_us, _start(zone, _following(period, following)))


def _first_day(period: Period, day: date) -> date:
    match period:
        case "day":
            return day
        case "month":
            return day.replace(day=1)
    assert_never(period)


def _following(period: Period, first: date) -> date:
    match period:
        case "day":
            return first + timedelta(days=1)
        case "month":
            return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    assert_never(period)


@lru_cache(maxsize=STARTS_MAX)
def _start(zone: str, day: date) -> int:
    """The first instant of a local day: of two midnights the earlier, of none the first after."""
    info = _zone(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=info)
    start = _us(midnight.astimezone(UTC))
    if _at(info, start).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    # The midnight does not exist: with fold=0 Python reads it by the offset before the gap, so
    # `start` is not before the change; the change itself is the first instant of the day.
    low, high = start - DAY_US, start
    while high - low > 1:
        middle = (low + high) // 2
        if _at(info, middle).date() >= day:
            high = middle
        else:
            low = middle
    return high


def named(text: str) -> Period:
    """A period from the name that a row keeps; raises ValueError for any other name."""
    match text:
        case "day" | "month":
            return text
    raise ValueError(f"{text!r} is not a period")


@lru_cache(maxsize=1_024)  # a batch asks many times for the same instant
def local_day(zone: str, at_us: int) -> str:
    """The ISO date of this instant in `zone`."""
    return _local_date(zone, at_us).isoformat()


@lru_cache(maxsize=1_024)
def utc_day(at_us: int) -> str:
    """The ISO date of this instant in UTC."""
    return (EPOCH + at_us * MICROSECOND).date().isoformat()


def check_zone(name: str) -> None:
    """Raises UnknownZone where `name` is not a zone of the tz database, spelled as it is there."""
    _zone(name)


def iso(at_us: int) -> str:
    """ISO 8601 in UTC, with Z, and with microseconds only where there are any."""
    text = (EPOCH + at_us * MICROSECOND).replace(tzinfo=None).isoformat()
    return f"{text}Z"


def _local_date(zone: str, at_us: int) -> date:
    return _at(_zone(zone), at_us).date()


@cache
def _zone(name: str) -> ZoneInfo:
    """Bounded by the number of names: only found zones are kept."""
    if name not in _names():
        raise UnknownZone(f"{name[:50]!r} is not a time zone, such as Europe/Amsterdam")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def _at(info: ZoneInfo, at_us: int) -> datetime:
    return (EPOCH + at_us * MICROSECOND).astimezone(info)


def _us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
