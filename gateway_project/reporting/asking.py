"""What a report is asked for, by page, REST and command line: the same names and the same bounds.

| name | asks for |
|---|---|
| since, until | days `2026-11-01`, of which `until` is the first that is not in it |
| by | cuts with commas between: day, month, tenant, key, user, provider, model, tag:NAME |
| clock | `utc`, or `tenant`: the days and months of each tenant's own zone |
| tenant, key, user, provider, model | exactly this one |
| tag | `name=value`; `name=` finds what has not got the tag |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from budgets.models import ApiKey, Tenant
from budgets.reports import Ask, BadAsk, Clock

from .. import access
from ..roles import Actor

PERMISSION = "reports:read"
ID_MAX = 2**63 - 1
TEXT_MAX = 256
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
CUT = r"(day|month|tenant|key|user|provider|model|tag:[a-z0-9_.\-]{1,32})"
BY = rf"^({CUT}(,{CUT}){{0,7}})?$"
TAG = r"^[a-z0-9_.\-]{1,32}=[A-Za-z0-9 _./:@+\-]{0,64}$"


def read(query: Mapping[str, str], actor: Actor | None) -> Ask:
    """A question from a query string; an actor of None is the command line, which sees everything.

    Raises BadAsk, and Http404 or PermissionDenied for a tenant or key that is not theirs.
    """
    tag = _matching("tag", query.get("tag", ""), TAG, "team=search")
    return Ask(
        since=day(query, "since"),
        until=day(query, "until"),
        by=tuple(cut for cut in query.get("by", "").split(",") if cut),
        clock=_clock(query.get("clock") or "utc"),
        tenants=tenants(query.get("tenant", ""), actor),
        key_id=_key(query.get("key", ""), actor),
        user=_text(query, "user"),
        provider=_text(query, "provider"),
        model=_text(query, "model"),
        tag=(tag.partition("=")[0], tag.partition("=")[2]) if tag else None,
    )


def tenants(external_id: str, actor: Actor | None) -> frozenset[int] | None:
    """The tenants whose spend is asked for, of those that the actor may see; None means all."""
    if external_id:
        rows = Tenant.objects.all()
        by = {"external_id": external_id.replace("\0", "")}
        if actor is None:
            return frozenset(rows.filter(**by).values_list("id", flat=True))
        return frozenset({access.find(rows, actor, PERMISSION, tenant="id", **by).id})
    allowed = None if actor is None else actor.tenants(PERMISSION)
    return None if allowed is None else frozenset(allowed)


def day(query: Mapping[str, str], name: str) -> date:
    text = query.get(name, "")
    try:
        return date.fromisoformat(_matching(name, text, DAY, "2026-11-01") or "-")
    except ValueError as error:
        raise BadAsk(name, "must be a day, such as 2026-11-01.") from error


def _clock(text: str) -> Clock:
    match text:
        case "utc" | "tenant":
            return text
    raise BadAsk("clock", "must be utc or tenant.")


def _key(text: str, actor: Actor | None) -> int | None:
    if not text:
        return None
    number = int(text) if re.fullmatch(r"[0-9]{1,19}", text) else 0
    if not 0 < number <= ID_MAX:
        raise BadAsk("key", "must be the id of a key.")
    if actor is not None:
        access.find(ApiKey.objects.all(), actor, PERMISSION, id=number)
    return number


def _text(query: Mapping[str, str], name: str) -> str | None:
    text = query.get(name) or None
    if text is not None and (len(text) > TEXT_MAX or "\0" in text):
        raise BadAsk(name, f"must have at most {TEXT_MAX} characters, and no NUL.")
    return text


def _matching(name: str, text: str, pattern: str, example: str) -> str:
    if text and not re.fullmatch(pattern, text, re.ASCII):
        raise BadAsk(name, f"must read like {example}.")
    return text
