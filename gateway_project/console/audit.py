"""The audit: one chain's entries, newest first, each to its bytes, and the check of all of them.

Entries are looked through in bounded steps, because a chain has no index but its order: a page
may be short where few fit, and "Older" goes on from where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import urlencode

from audit.chain import FIXED
from audit.models import Entry
from budgets.models import Posting, Tenant

from .. import access
from ..administration import SYSTEM
from ..models import LoggedCall
from ..roles import Actor
from . import drawers
from .frame import Page
from .verifying import lines

ROWS = 50
SCAN_ROWS = 500
SCANS_MAX = 20
WORDS_MAX = 100
CHAINS_MAX = 10_000
SEQ_MAX = 2**63 - 1
SYSTEM_NAME = "_system"
FILTERS = ("action", "actor", "q")


@dataclass(frozen=True, slots=True)
class Link:
    """An entry with its body read."""

    entry: Entry
    body: Mapping[str, Any]

    @property
    def hash(self) -> str:
        return bytes(self.entry.hash).hex()

    @property
    def text(self) -> str:
        """The canonical bytes, which are JSON and therefore UTF-8; a tampered one may not be."""
        return bytes(self.entry.body).decode(errors="replace")


class Audit(Page, get="audit:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        chains = chains_of(self.actor)
        name = request.GET.get("tenant") or next(iter(chains.values()), "")
        chain = next((number for number, each in chains.items() if each == name), None)
        if chain is None:
            raise Http404
        asked = {key: request.GET.get(key, "").strip()[:WORDS_MAX] for key in FILTERS}
        found, stopped_at = _page(chain, asked, _number(request.GET.get("before")))
        kept: dict[str, str] = {
            key: text for key, text in {"tenant": name, **asked}.items() if text
        }
        shown: dict[str, Any] = {
            "links": found,
            "chains": chains.values(),
            "chain": name,
            "asked": asked,
            "older": f"?{urlencode({**kept, 'before': str(stopped_at)})}" if stopped_at else "",
            "newest": f"?{urlencode(kept)}",
            "is_first": "before" not in request.GET,
        }
        return self.render("console/audit.html", **shown)


class OneEntry(Page, of=Entry, get="audit:read"):
    def get(self, request: HttpRequest, tenant: int, seq: int) -> HttpResponse:
        if tenant == SYSTEM:
            access.check(self.actor, "audit:read")
        rows = Entry.objects.filter(tenant=min(tenant, SEQ_MAX))
        entry = access.find(rows, self.actor, "audit:read", "tenant", seq=min(seq, SEQ_MAX))
        link = _read(entry)
        shown: dict[str, Any] = {
            "link": link,
            "fields": _fields(link.body),
            "changes": _changes(link.body),
            "call": _call_of(self.actor, entry),
            "chain": SYSTEM_NAME if tenant == SYSTEM else str(tenant),
        }
        return drawers.show(self, "console/_entry.html", f"Entry {seq}", **shown)


class Verify(Page, post="audit:read"):
    def post(self, request: HttpRequest) -> StreamingHttpResponse:
        """Lines of JSON while every chain that this actor sees is checked."""
        answer = StreamingHttpResponse(
            lines(chains_of(self.actor)), content_type="application/x-ndjson"
        )
        answer["cache-control"] = "no-store"
        return answer


def chains_of(actor: Actor) -> dict[int, str]:
    """The chains that this actor reads, by number; the system's only for a grant for all."""
    rows = access.visible(Tenant.objects.order_by("external_id"), actor, "audit:read", "id")
    found = dict(rows.values_list("id", "external_id")[:CHAINS_MAX])
    return {SYSTEM: SYSTEM_NAME, **found} if actor.may("audit:read") else found


def _page(chain: int, asked: Mapping[str, str], before: int | None) -> tuple[list[Link], int]:
    """A page of entries that fit, and the seq to go on below; 0 at the chain's beginning."""
    found: list[Link] = []
    last = 0
    for link in _newest(chain, before):
        if len(found) == ROWS:
            return found, last
        last = link.entry.seq
        if _fits(link, asked):
            found.append(link)
    return found, last


def _newest(chain: int, before: int | None) -> Iterator[Link]:
    for _ in range(SCANS_MAX):
        rows = Entry.objects.filter(tenant=chain).order_by("-seq")
        page = list((rows if before is None else rows.filter(seq__lt=before))[:SCAN_ROWS])
        yield from (_read(entry) for entry in page)
        if len(page) < SCAN_ROWS:
            return
        before = page[-1].seq


def _read(entry: Entry) -> Link:
    """A body that was tampered with is shown as far as it can be read."""
    try:
        body = orjson.loads(bytes(entry.body))
    except orjson.JSONDecodeError:
        body = {}
    return Link(entry, body if isinstance(body, dict) else {})


def _fits(link: Link, asked: Mapping[str, str]) -> bool:
    return (
        str(link.body.get("action", "")).startswith(asked["action"])
        and asked["actor"] in str(link.body.get("actor", ""))
        and asked["q"].lower() in link.text.lower()
    )


def _number(text: str | None) -> int | None:
    if not text or not (text.isascii() and text.isdigit()):
        return None
    return min(int(text[:19]), SEQ_MAX)


def _fields(body: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What is neither the chain's own nor a side of a change."""
    own = sorted(name for name in body if name not in FIXED and not _side(name))
    return [(name, body[name]) for name in own]


def _changes(body: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of what was changed."""
    names = sorted({name.partition("_")[2] for name in body if _side(name)})
    return [(name, _told(body, f"before_{name}"), _told(body, f"after_{name}")) for name in names]


def _side(name: str) -> bool:
    return name.startswith(("before_", "after_"))


def _told(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return "none" if value is None else str(value)


def _call_of(actor: Actor, entry: Entry) -> LoggedCall | None:
    """The call that a posting's entry is about, for those who may read the log."""
    if not actor.may("requests:read", entry.tenant):
        return None
    posting = Posting.objects.filter(tenant_id=entry.tenant, seq=entry.seq).first()
    return LoggedCall.objects.filter(call=posting.call).first() if posting else None
