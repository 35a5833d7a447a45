"""The audit chain by REST: its entries as they were hashed, and the check of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Entry
from budgets.models import Tenant

from .. import access, verification
from ..administration import SYSTEM
from ..roles import Actor
from .base import Endpoint, paged
from .shapes import PageQuery, Strict, Text, page_of
from .tenants import tenant_of

SYSTEM_NAME = "_system"
SCAN_ROWS = 1_000
SCANS_MAX = 20


class EntryAnswer(serializers.Serializer[Any]):
    """One link; `body` is what was hashed, `hash` the chain's hash up to here."""

    tenant = serializers.CharField()
    seq = serializers.IntegerField()
    hash = serializers.RegexField("^[0-9a-f]{64}$")
    body = serializers.DictField()


class ChainAnswer(serializers.Serializer[Any]):
    tenant = serializers.CharField()
    entries = serializers.IntegerField()
    is_intact = serializers.BooleanField()
    first_bad_seq = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class VerifyAnswer(serializers.Serializer[Any]):
    is_intact = serializers.BooleanField()
    chains = ChainAnswer(many=True)


class EntryQuery(PageQuery):
    tenant = serializers.CharField(
        max_length=128, help_text="Whose chain: an external id, or `_system`."
    )
    actor = serializers.CharField(required=False, max_length=200, help_text="Exactly: `user:ann`.")
    action = serializers.CharField(required=False, max_length=100, help_text="`budget.set`.")


class VerifyIn(Strict):
    tenant = Text(
        max_length=128,
        required=False,
        help_text="Whose chain: an external id, or `_system`; all that you may see, if left out.",
    )


class AuditEntries(Endpoint, get="audit:read"):
    query = EntryQuery

    @extend_schema(responses=page_of(EntryAnswer))
    def get(self, request: Request) -> Response:
        """One chain, newest first. A page may be short where few entries match: follow `next`."""
        name = self.asked["tenant"]
        found, following = self._matching(_chain(self.actor, name))
        rows = [
            {
                "tenant": name,
                "seq": entry.seq,
                "hash": bytes(entry.hash).hex(),
                "body": orjson.loads(bytes(entry.body)),
            }
            for entry in found
        ]
        return paged(EntryAnswer, rows, following)

    def _matching(self, chain: int) -> tuple[list[Entry], str | None]:
        """Entries that match, looked for in a bounded number of rows."""
        limit, found, last = int(self.asked["limit"]), list[Entry](), None
        cursor = self.asked.get("cursor")
        for entry in _newest(chain, None if cursor is None else int(cursor.split("_")[0])):
            if len(found) == limit:
                return found, self.following(str(found[-1].seq))
            last = entry
            if self._is_wanted(entry):
                found.append(entry)
        is_over = last is None or last.seq == 0
        return found, None if is_over or last is None else self.following(str(last.seq))

    def _is_wanted(self, entry: Entry) -> bool:
        body = orjson.loads(bytes(entry.body))
        return all(self.asked.get(name) in {None, body[name]} for name in ("actor", "action"))


class VerifyAudit(Endpoint, post="audit:read"):
    @extend_schema(request=VerifyIn, responses=VerifyAnswer)
    def post(self, request: Request) -> Response:
        """Check every entry by its hashes, and every posting by the digest in its entry."""
        wanted = _chains(self.actor, self.body(VerifyIn).get("tenant"))
        chains = [_checked(chain, name) for chain, name in wanted.items()]
        report = {"is_intact": all(each["is_intact"] for each in chains), "chains": chains}
        return Response(VerifyAnswer(report).data)


def _checked(chain: int, name: str) -> dict[str, Any]:
    report = verification.verify(chain)
    bad = next(iter(report.bad), None)
    return {
        "tenant": name,
        "entries": report.entries.get(chain, 0),
        "is_intact": report.is_intact,
        "first_bad_seq": bad.seq if bad else None,
        "reason": bad.reason if bad else None,
    }


def _newest(chain: int, below: int | None) -> Iterator[Entry]:
    for _ in range(SCANS_MAX):
        rows = Entry.objects.filter(tenant=chain).order_by("-seq")
        page = list((rows if below is None else rows.filter(seq__lt=below))[:SCAN_ROWS])
        yield from page
        if len(page) < SCAN_ROWS:
            return
        below = page[-1].seq


def _chain(actor: Actor, name: str) -> int:
    if name != SYSTEM_NAME:
        return tenant_of(actor, "audit:read", name).id
    access.check(actor, "audit:read")
    return SYSTEM


def _chains(actor: Actor, name: str | None) -> dict[int, str]:
    """The chains to check by their tenants' ids, with the names they are shown by."""
    if name is not None:
        return {_chain(actor, name): name}
    allowed = access.visible(Tenant.objects.order_by("id"), actor, "audit:read", "id")
    found = dict(allowed.values_list("id", "external_id"))
    return {SYSTEM: SYSTEM_NAME} | found if actor.may("audit:read") else found
