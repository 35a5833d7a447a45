"""The request log as it is asked for: by page and by REST, the same filters and the same bounds.

| filter | finds |
|---|---|
| tenant | the calls of the tenant with this external id |
| key | the calls of the key with this id |
| model, provider, code, user | exactly this text |
| status | exactly this number, or a class of them: `4xx` |
| tag | one `name=value` among the call's tags |
| since, until | calls opened at or after, and before, this time |

Reads only. What calls cost is taken from the ledger's postings, one query for a page of lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, StrIndex

from budgets.models import Posting, Tenant

from . import access
from .models import LoggedCall
from .reading import TAG
from .roles import Actor

ID_MAX = 2**63 - 1
TEXT_MAX = 256
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)")


class BadFilter(ValueError):
    """A filter that means nothing; `param` is its name."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(f"{param} {message}")
        self.param = param


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader looks for; what is empty does not narrow. Times are microseconds UTC."""

    tenant: str = ""
    key: int | None = None
    model: str = ""
    provider: str = ""
    status: str = ""
    code: str = ""
    user: str = ""
    tag: str = ""
    since: int | None = None
    until: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        """From a query string; names that are no filters are left alone. Raises BadFilter."""
        known = {name: _text(name, query.get(name) or "") for name in NAMES}
        return cls(
            tenant=known["tenant"],
            key=_number("key", known["key"]),
            model=known["model"],
            provider=known["provider"],
            status=_matching("status", known["status"], STATUS, "200 or 4xx"),
            code=known["code"],
            user=known["user"],
            tag=_matching("tag", known["tag"], TAG, "team=search"),
            since=_moment("since", known["since"]),
            until=_moment("until", known["until"]),
        )


NAMES = tuple(field.name for field in fields(Filters))


def search(actor: Actor, filters: Filters) -> QuerySet[LoggedCall]:
    """The lines that this actor may read, newest first; the caller takes a page of them."""
    rows = access.visible(LoggedCall.objects.all(), actor, "requests:read")
    if filters.tenant:
        rows = rows.filter(tenant_id__in=Tenant.objects.filter(external_id=filters.tenant))
    if filters.tag:
        tags = Concat(Value(","), F("tags"), Value(","))
        rows = rows.alias(tag_at=StrIndex(tags, Value(f",{filters.tag},"))).filter(tag_at__gt=0)
    return rows.filter(_exact(filters), _status(filters), _time(filters)).order_by(
        "-opened_us", "-id"
    )


def attempts_of(calls: Sequence[LoggedCall]) -> dict[str, list[Posting]]:
    """The postings of a page of lines by their `call`, in the order of attempts: one query.

    A line without attempts has an empty list. Corrections stand behind what they correct.
    """
    found: dict[str, list[Posting]] = {line.call: [] for line in calls}
    owners = {
        attempt: line.call for line in calls for attempt in line.attempts.split(",") if attempt
    }
    postings = Posting.objects.filter(attempt__in=owners).order_by("call_no", "no")
    for posting in postings if owners else ():
        found[owners[posting.attempt]].append(posting)
    return found


@dataclass(frozen=True, slots=True)
class Bill:
    """What the attempts of one call come to: tokens, and nano-dollars after corrections."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nanos: int = 0


def bill(postings: Sequence[Posting]) -> Bill:
    """A lost attempt's provisional posting has no tokens, its correction brings them: all add."""
    return Bill(
        input_tokens=sum(posting.input_tokens for posting in postings),
        output_tokens=sum(posting.output_tokens for posting in postings),
        cache_read_tokens=sum(posting.cache_read_tokens for posting in postings),
        cache_write_tokens=sum(posting.cache_write_tokens for posting in postings),
        reasoning_tokens=sum(posting.reasoning_tokens for posting in postings),
        cost_nanos=sum(posting.debit_nanos - posting.credit_nanos for posting in postings),
    )


def _exact(filters: Filters) -> Q:
    wanted = {
        "model": filters.model,
        "provider": filters.provider,
        "code": filters.code,
        "end_user": filters.user,
        "key_id": filters.key,
    }
    return Q(**{name: value for name, value in wanted.items() if value not in {"", None}})


def _status(filters: Filters) -> Q:
    if not filters.status:
        return Q()
    low = int(filters.status.replace("xx", "00"))
    high = low + (100 if filters.status.endswith("xx") else 1)
    return Q(status__gte=low, status__lt=high)


def _time(filters: Filters) -> Q:
    wanted = {"opened_us__gte": filters.since, "opened_us__lt": filters.until}
    return Q(**{name: value for name, value in wanted.items() if value is not None})


def _text(name: str, text: str) -> str:
    text = text.strip()
    if len(text) > TEXT_MAX or "\0" in text:
        raise BadFilter(name, f"must be a text of at most {TEXT_MAX} characters.")
    return text


def _matching(name: str, text: str, pattern: re.Pattern[str], example: str) -> str:
    if text and pattern.fullmatch(text) is None:
        raise BadFilter(name, f"must read like {example}.")
    return text


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > ID_MAX:
        raise BadFilter(name, "must be an id, a whole number.")
    return int(text)


def _moment(name: str, text: str) -> int | None:
    """A time without a zone is UTC, a date is its first moment."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadFilter(name, "must be a time such as 2026-11-24T10:00:00Z.") from error
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)
