"""The request log by REST: which calls there were, what became of them, and what they cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Entry
from budgets.models import Posting, Tenant

from .. import access, request_log
from ..models import LoggedCall
from .base import Endpoint, paged
from .shapes import DollarsOut, MomentOut, PageQuery, page_of

FILTER_MAX = request_log.TEXT_MAX


class RequestAnswer(serializers.Serializer[Any]):
    """One call, or `count` refusals of one kind within a minute. No prompts and no answers."""

    call = serializers.CharField()
    tenant = serializers.CharField(allow_null=True)
    key = serializers.IntegerField(source="key_id")
    model = serializers.CharField(allow_blank=True)
    provider = serializers.CharField(allow_blank=True)
    user = serializers.CharField(source="end_user", allow_blank=True)
    tags = serializers.DictField(child=serializers.CharField())
    status = serializers.IntegerField()
    code = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    is_stream = serializers.BooleanField()
    opened_at = MomentOut(source="opened_us")
    milliseconds = serializers.IntegerField()
    first_milliseconds = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    cost_nanos = serializers.IntegerField()
    cost = DollarsOut(source="cost_nanos")


class AttemptAnswer(serializers.Serializer[Posting]):
    """One posting of the ledger: an attempt's, or a correction of it (`no` above 0)."""

    attempt = serializers.CharField()
    no = serializers.IntegerField()
    provider = serializers.CharField()
    model = serializers.CharField()
    outcome = serializers.CharField()
    basis = serializers.CharField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    debit_nanos = serializers.IntegerField()
    debit = DollarsOut(source="debit_nanos")
    credit_nanos = serializers.IntegerField()
    credit = DollarsOut(source="credit_nanos")
    price = serializers.IntegerField(source="price_id")
    opened_at = MomentOut(source="opened_us")
    posted_at = MomentOut(source="posted_us")
    audit_seq = serializers.IntegerField(source="seq")
    audit_hash = serializers.CharField(allow_null=True)


class OneRequestAnswer(RequestAnswer):
    attempts = AttemptAnswer(many=True)


class RequestQuery(PageQuery):
    """What to look for; see `request_log.Filters`."""

    tenant = serializers.CharField(required=False, max_length=FILTER_MAX)
    key = serializers.IntegerField(required=False, min_value=1, max_value=request_log.ID_MAX)
    model = serializers.CharField(required=False, max_length=FILTER_MAX)
    provider = serializers.CharField(required=False, max_length=FILTER_MAX)
    status = serializers.RegexField(
        "^[1-5]([0-9]{2}|xx)$", required=False, help_text="A status, or a class of them: `4xx`."
    )
    code = serializers.CharField(required=False, max_length=FILTER_MAX)
    user = serializers.CharField(required=False, max_length=FILTER_MAX)
    tag = serializers.CharField(
        required=False, max_length=FILTER_MAX, help_text="One `name=value` of the call's tags."
    )
    since = serializers.CharField(
        required=False, max_length=40, help_text="Opened at or after this time, ISO 8601."
    )
    until = serializers.CharField(
        required=False, max_length=40, help_text="Opened before this time, ISO 8601."
    )


class Requests(Endpoint, get="requests:read"):
    query = RequestQuery

    @extend_schema(responses=page_of(RequestAnswer))
    def get(self, request: Request) -> Response:
        """The request log, newest first."""
        try:
            filters = request_log.Filters.read(request.query_params)
        except request_log.BadFilter as error:
            raise serializers.ValidationError({error.param: [str(error)]}) from error
        rows = request_log.search(self.actor, filters)
        lines, following = self.cut(rows, "opened_us", "id")
        return paged(RequestAnswer, _shown(lines), following)


class OneRequest(Endpoint, of=LoggedCall, get="requests:read"):
    @extend_schema(responses=OneRequestAnswer)
    def get(self, request: Request, call: str) -> Response:
        """One call with every attempt that was made for it, as the ledger has them."""
        line = access.find(LoggedCall.objects.all(), self.actor, "requests:read", call=call)
        [shown] = _shown([line])
        shown["attempts"] = _with_hashes(request_log.attempts_of([line])[line.call])
        return Response(OneRequestAnswer(shown).data)


def _shown(lines: Sequence[LoggedCall]) -> list[dict[str, Any]]:
    tenants = dict(
        Tenant.objects.filter(id__in={line.tenant_id for line in lines}).values_list(
            "id", "external_id"
        )
    )
    attempts = request_log.attempts_of(lines)
    return [
        {
            **{field.attname: getattr(line, field.attname) for field in LoggedCall._meta.fields},
            **dataclasses.asdict(request_log.bill(attempts[line.call])),
            "tenant": tenants.get(line.tenant_id),
            "tags": dict(tag.split("=", 1) for tag in line.tags.split(",") if "=" in tag),
        }
        for line in lines
    ]


def _with_hashes(postings: Sequence[Posting]) -> list[Posting]:
    """Each posting with the hash of its entry in the chain, to look it up by."""
    seqs = {(each.tenant_id, each.seq) for each in postings}
    rows = Entry.objects.filter(
        tenant__in={tenant for tenant, _ in seqs}, seq__in={seq for _, seq in seqs}
    ).values_list("tenant", "seq", "hash")
    hashes = {(tenant, seq): bytes(hash).hex() for tenant, seq, hash in rows}
    for posting in postings:
        posting.audit_hash = hashes.get((posting.tenant_id, posting.seq))  # type: ignore[attr-defined]  # only shown
    return list(postings)
