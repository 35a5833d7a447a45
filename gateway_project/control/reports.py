"""Cost reports by REST: spend cut by anything, and the FOCUS file; sent while they are made."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from budgets.reports import Ask, BadAsk

from ..reporting import asking, files, pieces
from .base import Endpoint
from .shapes import DollarsOut, Query

FORMATS = list(files.FILES)


class TooBusy(APIException):
    """Too many reports at once."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "reports_busy"


class PeriodQuery(Query):
    """Whole days, of which `until` is the first that is not in the report."""

    since = serializers.RegexField(asking.DAY, help_text="The first day, `2026-11-01`.")
    until = serializers.RegexField(asking.DAY, help_text="The first day after the report.")
    tenant = serializers.CharField(required=False, max_length=128)


class SpendQuery(PeriodQuery):
    """Which spend, cut by what, on whose clock, and as which file."""

    by = serializers.RegexField(
        asking.BY,
        required=False,
        allow_blank=True,
        help_text="Cuts with commas between: day, month, tenant, key, user, provider, model, "
        "tag:NAME.",
    )
    clock = serializers.ChoiceField(
        ["utc", "tenant"], default="utc", help_text="Days of UTC, or of each tenant's zone."
    )
    key = serializers.IntegerField(required=False, min_value=1, max_value=asking.ID_MAX)
    user = serializers.CharField(required=False, max_length=asking.TEXT_MAX)
    provider = serializers.CharField(required=False, max_length=asking.TEXT_MAX)
    model = serializers.CharField(required=False, max_length=asking.TEXT_MAX)
    tag = serializers.RegexField(
        asking.TAG, required=False, help_text="`name=value`; `name=` finds what lacks the tag."
    )
    format = serializers.ChoiceField(FORMATS, default="json")


class SumsAnswer(serializers.Serializer[Any]):
    """What a group, or everything, comes to; `cost` is debit less credit, and the ledger's net."""

    attempts = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    debit = DollarsOut(source="debit_nanos")
    credit = DollarsOut(source="credit_nanos")
    cost = DollarsOut(source="cost_nanos")
    debit_nanos = serializers.IntegerField()
    credit_nanos = serializers.IntegerField()
    cost_nanos = serializers.IntegerField()


@extend_schema_field({"type": "object", "additionalProperties": True})
class GroupOut(serializers.Field[Any, Any, Any, Any]):
    """The columns of the cuts that were asked for, then those of the total."""


class SpendAnswer(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    by = serializers.ListField(child=serializers.CharField())
    clock = serializers.CharField()
    rows = serializers.ListField(child=GroupOut())
    total = SumsAnswer()


class SpendReport(Endpoint, get="reports:read"):
    query = SpendQuery

    @extend_schema(
        responses={
            (200, "application/json"): SpendAnswer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, files.FILES["xlsx"].content_type): OpenApiTypes.BINARY,
        }
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Spend in a period, complete to the ledger's last posting."""
        kind = str(self.asked["format"])
        try:
            ask = asking.read(request.query_params.dict(), self.actor)
            return self._answer(ask, kind)
        except BadAsk as error:
            raise serializers.ValidationError({error.param: [str(error)]}) from error
        except pieces.Busy as error:
            raise TooBusy(str(error)) from error

    def _answer(self, ask: Ask, kind: str) -> StreamingHttpResponse:
        name = files.name("spend", ask.since, ask.until, kind)
        made = files.spend(ask, kind)
        return pieces.answer(self.request._request, made, files.FILES[kind].content_type, name)


class FocusReport(Endpoint, get="reports:read"):
    query = PeriodQuery

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> StreamingHttpResponse:
        """FOCUS 1.4 Cost and Usage of whole UTC days."""
        try:
            ask = asking.read(request.query_params.dict(), self.actor)
            name = files.name("focus", ask.since, ask.until, "csv")
            made = files.focus(ask.since, ask.until, ask.tenants)
            return pieces.answer(request._request, made, files.CSV_TYPE, name)
        except BadAsk as error:
            raise serializers.ValidationError({error.param: [str(error)]}) from error
        except pieces.Busy as error:
            raise TooBusy(str(error)) from error
