"""Money, times and limits as pages show them: short to read, exact in the title."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from budgets import money
from budgets.standings import Standing

register = template.Library()
DECIMALS_MAX = 6


@register.filter
def dollars(nanos: int | None) -> SafeString:
    """Two to six decimals, cut rather than rounded up; the title has them all."""
    if nanos is None:
        return SafeString("–")
    exact = money.dollars(nanos)
    whole, _, decimals = exact.partition(".")
    shown = f"{whole}.{decimals[:DECIMALS_MAX].rstrip('0').ljust(2, '0')}"
    if nanos and not any(digit in "123456789" for digit in shown):
        shown = "<$0.000001"
    return format_html('<span title="{}">{}</span>', exact, shown)


@register.filter
def moment(at_us: int | None) -> SafeString:
    """An instant in UTC, to the second."""
    if at_us is None:
        return SafeString("–")
    at = datetime.fromtimestamp(at_us / 1_000_000, UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat().replace("+00:00", "Z"),
        at.isoformat().replace("+00:00", "Z"),
        at.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.simple_tag
def moment_in(at_us: int, zone: str) -> SafeString:
    """An instant on a tenant's own clock, with the zone's name."""
    at = datetime.fromtimestamp(at_us / 1_000_000, ZoneInfo(zone))
    utc = datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat().replace("+00:00", "Z")
    return format_html(
        '<time datetime="{}" title="{}">{} {}</time>', utc, utc, at.strftime("%Y-%m-%d %H:%M"), zone
    )


@register.inclusion_tag("console/_limit.html")
def limit_bar(standing: Standing) -> dict[str, object]:
    """Spent and held as parts of the limit, in thousandths for the picture and in words."""
    limit = max(standing.limit_nanos, 1)
    spent = min(1000, standing.spent_nanos * 1000 // limit)
    held = min(1000 - spent, -(-standing.held_nanos * 1000 // limit))
    return {"standing": standing, "spent": spent, "held": held}
