"""The request log: a table that stays up to date, its filters in the address, and every call whole.

Reads only, by `request_log`. Money comes from the ledger's postings, never from the log.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from budgets import standings
from budgets.models import ApiKey, Budget, Posting, Tenant

from .. import access, request_log
from ..clock import now_us
from ..models import LoggedCall
from ..request_log import NAMES, BadFilter, Bill, Filters
from . import drawers
from .answers import is_partial
from .arithmetic import tried
from .frame import Page

ROWS = 50
TENANTS_MAX = 1_000
KEYS_MAX = 100
OVER_BUDGET = "insufficient_quota"
OLDER = re.compile(r"([0-9]{1,19})_([0-9]{1,19})")
STATUSES = (
    ("", "Any"),
    ("2xx", "2xx answered"),
    ("4xx", "4xx refused"),
    ("5xx", "5xx failed"),
)
FURTHER = ("provider", "code", "user", "tag", "since", "until")


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the log with the names behind its numbers, and its bill."""

    line: LoggedCall
    tenant: Tenant | None
    key: ApiKey | None
    answered: str
    bill: Bill


class Requests(Page, get="requests:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {name: request.GET.get(name, "").strip() for name in NAMES}
        older, fault, rows = request.GET.get("older", ""), "", LoggedCall.objects.none()
        try:
            rows = _found(self, asked)
        except BadFilter as error:
            fault = str(error)
        page = list(_below(rows, older)[: ROWS + 1])
        kept = {name: text for name, text in asked.items() if text}
        tenants = access.visible(Tenant.objects.order_by("name"), self.actor, "requests:read", "id")
        shown: dict[str, Any] = {
            "rows": _shown(page[:ROWS]),
            "asked": asked,
            "kept": kept,
            "fault": fault,
            "is_first": not older,
            "newest": "?" + urlencode(kept),
            "older": f"?{urlencode({**kept, 'older': _mark(page)})}" if len(page) > ROWS else "",
            "tenants": tenants[:TENANTS_MAX],
            "statuses": STATUSES,
            "is_narrow": any(asked[name] for name in FURTHER),
        }
        is_part = is_partial(request)
        template = "console/_requests.html" if is_part else "console/requests.html"
        return self.render(template, **shown)


class OneRequest(Page, of=LoggedCall, get="requests:read"):
    def get(self, request: HttpRequest, call: str) -> HttpResponse:
        line = access.find(LoggedCall.objects.all(), self.actor, "requests:read", call=call)
        [row] = _shown([line])
        attempts = tried(request_log.attempts_of([line])[line.call])
        shown: dict[str, Any] = {
            "row": row,
            "attempts": attempts,
            "tags": [tag.split("=", 1) for tag in line.tags.split(",") if "=" in tag],
            "standings": _standings(self, line),
            "may_audit": self.actor.may("audit:read", line.tenant_id),
            "curl": _curl(line, request.build_absolute_uri("/").rstrip("/")),
        }
        return drawers.show(self, "console/_request.html", f"Request {line.call}", **shown)


def _found(page: Page, asked: Mapping[str, str]) -> QuerySet[LoggedCall]:
    """The key may be given as its id, or as how it begins."""
    key = asked["key"].rstrip("…")
    if not key or key.isdigit():
        return request_log.search(page.actor, Filters.read(asked))
    rows = request_log.search(page.actor, Filters.read({**asked, "key": ""}))
    keys = access.visible(ApiKey.objects.all(), page.actor, "requests:read")
    ids = keys.filter(prefix__startswith=key).values_list("id", flat=True)
    return rows.filter(key_id__in=list(ids[:KEYS_MAX]))


def _below(rows: QuerySet[LoggedCall], mark: str) -> QuerySet[LoggedCall]:
    """Those older than the mark, in the order of the log."""
    found = OLDER.fullmatch(mark)
    if found is None:
        return rows
    at, number = min(int(found[1]), request_log.ID_MAX), min(int(found[2]), request_log.ID_MAX)
    return rows.filter(Q(opened_us__lt=at) | Q(opened_us=at, id__lt=number))


def _mark(page: Sequence[LoggedCall]) -> str:
    if len(page) <= ROWS:
        return ""
    last = page[ROWS - 1]
    return f"{last.opened_us}_{last.id}"


def _shown(lines: Sequence[LoggedCall]) -> list[Shown]:
    """Three queries, however many lines."""
    tenants = Tenant.objects.in_bulk({line.tenant_id for line in lines})
    keys = ApiKey.objects.in_bulk({line.key_id for line in lines})
    attempts = request_log.attempts_of(lines)
    return [
        Shown(
            line,
            tenants.get(line.tenant_id),
            keys.get(line.key_id),
            _answered(line, attempts[line.call]),
            request_log.bill(attempts[line.call]),
        )
        for line in lines
    ]


def _answered(line: LoggedCall, postings: Sequence[Posting]) -> str:
    """Provider and model of the last attempt; empty where nobody was asked."""
    if not postings:
        return line.provider
    return f"{postings[-1].provider}/{postings[-1].model}"


def _standings(page: Page, line: LoggedCall) -> list[standings.Standing]:
    """For a refusal by a budget: the limits that such a call meets now."""
    if line.code != OVER_BUDGET or not page.actor.may("budgets:read", line.tenant_id):
        return []
    found = standings.current(Budget.objects.filter(tenant_id=line.tenant_id), now_us())
    return [
        each
        for each in found
        if each.budget.scope == Budget.Scope.TENANT or (each.key and each.key.id == line.key_id)
    ]


def _curl(line: LoggedCall, origin: str) -> str:
    """The call's skeleton: the log keeps no messages, so there are none to repeat."""
    body: dict[str, Any] = {
        "model": line.model,
        "messages": [{"role": "user", "content": "..."}],
    }
    body |= {"stream": True} if line.is_stream else {}
    body |= {"user": line.end_user} if line.end_user else {}
    lines = [
        f"curl {shlex.quote(origin + '/v1/chat/completions')}",
        '-H "Authorization: Bearer $TOLLGATE_KEY"',
        "-H 'Content-Type: application/json'",
        *([f"-H {shlex.quote('x-tollgate-tags: ' + line.tags)}"] if line.tags else []),
        f"-d {shlex.quote(json.dumps(body))}",
    ]
    return " \\\n  ".join(lines)
