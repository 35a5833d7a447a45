"""Overview: what was spent and called, what is in flight, and what needs somebody.

Each part of the page asks for itself when the doorbell rings, so a ring costs what is looked at.
Days and months are UTC here; budgets, which count in their tenant's zone, say so themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse

from budgets.models import Hold, Tenant

from .. import access, request_log
from ..clock import now_us
from ..models import LoggedCall
from ..roles import Actor
from . import attention, figures
from .frame import Page

DAYS = 30
MODELS_MAX = 6
TENANTS_MAX = 8
LATEST = 10
OTHER = "other models"


class Overview(Page, get="reports:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        part = request.GET.get("part")
        if part is not None:
            if part not in PARTS:
                raise Http404
            return self.render(f"console/_overview_{part}.html", **PARTS[part](self.actor))
        context: dict[str, Any] = {"sees_requests": self.actor.may_somewhere("requests:read")}
        for build in PARTS.values():
            context |= build(self.actor)
        return self.render("console/overview.html", **context)


def _tiles(actor: Actor) -> dict[str, Any]:
    tenants = actor.tenants("reports:read")
    day = figures.today(now_us())
    days = figures.spend(["day"], day.replace(day=1), tenants=tenants)
    today = days.get((day.isoformat(),), figures.Sum())
    calls = access.visible(
        LoggedCall.objects.filter(opened_us__gte=_start_us(day)), actor, "reports:read"
    ).aggregate(all=Sum("count"), failed=Sum("count", filter=Q(status__gte=400)))
    holds = access.visible(Hold.objects.all(), actor, "reports:read").aggregate(
        calls=Count("call", distinct=True), nanos=Sum("amount_nanos")
    )
    count, failed = calls["all"] or 0, calls["failed"] or 0
    return {
        "today_nanos": today.cost_nanos,
        "month_nanos": sum(each.cost_nanos for each in days.values()),
        "tokens": today.tokens,
        "calls": count,
        "failed": failed,
        "error_rate": f"{failed * 100 / count:.1f} %" if count else "–",
        "in_flight": holds["calls"],
        "held_nanos": holds["nanos"] or 0,
    }


def _spend(actor: Actor) -> dict[str, Any]:
    """The last DAYS days by model: those that cost most by name, what is left as one."""
    last = figures.today(now_us())
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    found = figures.spend(
        ["day", "model"], date.fromisoformat(days[0]), tenants=actor.tenants("reports:read")
    )
    totals: dict[str, int] = {}
    for (_, model), each in found.items():
        totals[str(model)] = totals.get(str(model), 0) + each.cost_nanos
    paid = [model for model, nanos in totals.items() if nanos]
    named = sorted(paid, key=lambda model: (-totals[model], model))[:MODELS_MAX]
    series = {model: dict.fromkeys(days, 0) for model in named}
    for (day, model), each in found.items():
        if not each.cost_nanos:
            continue
        row = series.setdefault(str(model) if model in named else OTHER, dict.fromkeys(days, 0))
        row[str(day)] = row.get(str(day), 0) + each.cost_nanos
    spent = {day: [row[day] for row in series.values()] for day in days}
    return {
        "models": list(series),
        "chart": {
            "days": days,
            "models": {name: list(row.values()) for name, row in series.items()},
        },
        "spent_days": [(day, row, sum(row)) for day, row in reversed(spent.items()) if any(row)],
        "days": DAYS,
    }


def _attention(actor: Actor) -> dict[str, Any]:
    return {"findings": attention.findings(actor)}


def _tenants(actor: Actor) -> dict[str, Any]:
    """Who has spent most this month; the bars are thousandths of the first one's."""
    first = figures.today(now_us()).replace(day=1)
    found = figures.spend(["tenant"], first, tenants=actor.tenants("reports:read"))
    top = sorted(found.items(), key=lambda item: -item[1].cost_nanos)[:TENANTS_MAX]
    names: dict[Any, Tenant] = Tenant.objects.in_bulk([int(key[0]) for key, _ in top])
    most = max([each.cost_nanos for _, each in top] + [1])
    rows = [
        (names[key[0]], each.cost_nanos, max(0, each.cost_nanos) * 1000 // most)
        for key, each in top
        if key[0] in names
    ]
    return {"top_tenants": rows}


def _latest(actor: Actor) -> dict[str, Any]:
    if not actor.may_somewhere("requests:read"):
        return {"latest": []}
    lines = list(request_log.search(actor, request_log.Filters())[:LATEST])
    postings = request_log.attempts_of(lines)
    names = Tenant.objects.in_bulk({line.tenant_id for line in lines})
    latest = [
        (
            line,
            datetime.fromtimestamp(line.opened_us / 1_000_000, UTC),
            names.get(line.tenant_id),
            request_log.bill(postings[line.call]),
        )
        for line in lines
    ]
    return {"latest": latest}


def _start_us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


PARTS: dict[str, Callable[[Actor], dict[str, Any]]] = {
    "tiles": _tiles,
    "spend": _spend,
    "attention": _attention,
    "tenants": _tenants,
    "latest": _latest,
}
