"""Cost reports: spend cut by two things on a page, and the same question as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode

from budgets import reports
from budgets.reports import Ask, BadAsk, Report, Row, Sums

from ..clock import now_us
from ..reporting import asking, files, pieces, table
from .forms import TenantField, TenantForm
from .frame import Page, problem

ROWS_MAX = 500
PERIOD = ["since", "until", "tenant"]
CUTS = {
    "day": "Day",
    "month": "Month",
    "tenant": "Tenant",
    "key": "API key",
    "user": "User",
    "provider": "Provider",
    "model": "Model",
}
PERIODS = {"this_month": "This month", "last_month": "Last month", "custom": "Between days"}
CLOCKS = {"utc": "UTC", "tenant": "Each tenant's own zone"}
BLANK = {"key": "unknown key", "user": "no user"}


class Filters(TenantForm):
    """What the page shows; everything has a default, and all of it stands in the address."""

    period = forms.ChoiceField(choices=list(PERIODS.items()), required=False)
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="Before", widget=forms.DateInput(attrs={"type": "date"})
    )
    clock = forms.ChoiceField(choices=list(CLOCKS.items()), required=False, label="Days of")
    by = forms.ChoiceField(choices=list(CUTS.items()), required=False, label="Group by")
    then = forms.ChoiceField(
        choices=[("", "nothing more"), *CUTS.items()], required=False, label="Then by"
    )
    tag = forms.RegexField(r"^[a-z0-9_.\-]{1,32}$", required=False, label="And by tag")

    field_order = ("tenant", "period", "since", "until", "clock", "by", "then", "tag")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tenant"]
        assert isinstance(field, TenantField)
        field.required, field.empty_label = False, "All tenants"


@dataclass(frozen=True, slots=True)
class Group:
    """One line of the table; `share` is thousandths of all that was spent."""

    names: tuple[str, ...]
    sums: Sums
    share: int

    @property
    def percent(self) -> str:
        return f"{self.share // 10}.{self.share % 10} %"


class Reports(Page, get="reports:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        form = Filters(filled(request.GET))
        form.offer(self.actor, "reports:read", all_too=True)
        form.fields["tenant"].required = False
        shown: dict[str, Any] = {"form": form, "rows_max": ROWS_MAX}
        if not form.is_valid():
            return self.render("console/reports.html", **shown)
        query = question(form.cleaned_data)
        try:
            ask = asking.read(query, self.actor)
            with reports.report(_for_reading(ask)) as report:
                shown |= _shown(report)
        except BadAsk as error:
            form.add_error(error.param if error.param in form.fields else None, str(error))
            return self.render("console/reports.html", **shown)
        links = {name: value for name, value in query.items() if value}
        focus: dict[str, str] = {name: links[name] for name in PERIOD if name in links}
        shown |= {"query": urlencode(links), "focus_query": urlencode(focus)}
        return self.render("console/reports.html", **shown)


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """The filters as asked for, and this month where nothing is."""
    found = {"period": "this_month", "clock": "utc", "by": "tenant", "then": "model"}
    if given:
        found["then"] = ""
    found |= {name: given[name] for name in given if given[name] or name == "then"}
    if "period" not in given and (given.get("since") or given.get("until")):
        found["period"] = "custom"
    if found["period"] != "custom":
        since, until = months(found["period"], now_us())
        found |= {"since": since.isoformat(), "until": until.isoformat()}
    return found


def months(period: str, at_us: int) -> tuple[date, date]:
    """This month or the one before, as [since, until)."""
    first = datetime.fromtimestamp(at_us / 1_000_000, UTC).date().replace(day=1)
    if period == "last_month":
        return (first - timedelta(days=1)).replace(day=1), first
    return first, (first + timedelta(days=31)).replace(day=1)


def question(known: Mapping[str, Any]) -> dict[str, str]:
    """The form's answers as a query string has them, for `asking.read` and for the files."""
    cuts = [known["by"] or "tenant", known["then"], f"tag:{known['tag']}" if known["tag"] else ""]
    return {
        "since": known["since"].isoformat() if known["since"] else "",
        "until": known["until"].isoformat() if known["until"] else "",
        "by": ",".join(dict.fromkeys(cut for cut in cuts if cut)),
        "clock": known["clock"] or "utc",
        "tenant": known["tenant"].external_id if known["tenant"] else "",
    }


def _for_reading(ask: Ask) -> Ask:
    """Days and months in their order, anything else by what it costs."""
    return replace(ask, is_dearest_first=ask.by[0] not in {"day", "month"})


def _shown(report: Report) -> dict[str, Any]:
    total = report.total.net_nanos
    some = list(islice(report.rows, ROWS_MAX))
    groups = [
        Group(names, row.sums, _share(row.sums.net_nanos, total))
        for names, row in zip(_names(report.ask.by, some), some, strict=True)
    ]
    rest = report.groups - len(some)
    return {
        "report": report,
        "heads": [CUTS.get(cut, cut.replace("tag:", "Tag ")) for cut in report.ask.by],
        "groups": groups,
        "rest": rest,
        "other": _less(report.total, some) if rest else None,
        "clock": CLOCKS[report.ask.clock],
        "last_day": report.ask.until - timedelta(days=1),
    }


def _share(nanos: int, total: int) -> int:
    return max(0, min(1000, nanos * 1000 // total)) if total > 0 else 0


def _less(total: Sums, some: list[Row]) -> Sums:
    """What the groups that are not shown come to."""
    columns = zip(*(row.sums.values() for row in some), strict=True)
    pairs = zip(total.values(), columns, strict=True)
    return Sums(*(whole - sum(column) for whole, column in pairs))


def _names(by: tuple[str, ...], some: list[Row]) -> Iterator[tuple[str, ...]]:
    """One text per cut: of a tenant its name, of a key its name and prefix."""
    texts = [column.name for column in table.columns(by)][: -len(table.NUMBERS)]
    for cells in table.named(by, some):
        known = dict(zip(texts, cells, strict=True))
        yield tuple(_name(cut, known) for cut in by)


def _name(cut: str, known: Mapping[str, table.Cell]) -> str:
    if cut == "tenant":
        return str(known["tenant_name"] or known["tenant"])
    if cut == "key":
        name = f"{known['key_name']} ({known['key_prefix']}…)"
        return name if known["key_prefix"] else f"key {known['key']}"
    return str(known[cut] or BLANK.get(cut, "none"))


class SpendFile(Page, get="reports:read"):
    """The page's question as CSV, XLSX or JSON; without a question, this month by tenant."""

    def get(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        if kind not in files.FILES:
            raise Http404
        return _file(self, "spend", kind)


class FocusFile(Page, get="reports:read"):
    def get(self, request: HttpRequest) -> HttpResponseBase:
        return _file(self, "focus", "csv")


def _file(page: Page, what: str, kind: str) -> HttpResponseBase:
    since, until = months("this_month", now_us())
    given = {name: str(value) for name, value in page.request.GET.items()}
    query = {"since": since.isoformat(), "until": until.isoformat(), "by": "tenant", **given}
    try:
        ask = asking.read(query, page.actor)
        made = files.spend(ask, kind)
        if what == "focus":
            made = files.focus(ask.since, ask.until, ask.tenants)
        name = files.name(what, ask.since, ask.until, kind)
        return pieces.answer(page.request, made, files.FILES[kind].content_type, name)
    except BadAsk as error:
        return problem(page.request, 400, f"{error.param} {error}")
    except pieces.Busy as error:
        return problem(page.request, 503, str(error))
