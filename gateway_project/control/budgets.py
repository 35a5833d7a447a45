"""Budgets by REST: limits, and where each stands in the window that is open now.

Amounts are whole nano-dollars, `*_nanos`, each with a twin in dollars as decimal text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from budgets import standings
from budgets.models import ApiKey, Budget, Tenant
from budgets.standings import Standing

from .. import access, administration
from ..clock import now_us
from .base import Endpoint, paged
from .keys import key_of
from .shapes import (
    ID_MAX,
    DollarsIn,
    DollarsOut,
    MomentOut,
    Nanos,
    PageQuery,
    Strict,
    page_of,
)
from .tenants import tenant_of

SCOPES = ("tenant", "key", "each_key")


class BudgetAnswer(serializers.Serializer[Standing]):
    """One limit of one tenant or key. A limit of each key has a row for every key that has spent
    in this window, and one without a key, which says what a key has that has not."""

    id = serializers.IntegerField(source="budget.id")
    tenant = serializers.CharField(source="budget.tenant.external_id")
    scope = serializers.SerializerMethodField()
    period = serializers.ChoiceField(Budget.Period.choices, source="budget.period")
    key = serializers.IntegerField(source="key.id", allow_null=True)
    key_prefix = serializers.CharField(source="key.prefix", allow_null=True)
    limit_nanos = serializers.IntegerField()
    limit = DollarsOut(source="limit_nanos")
    spent_nanos = serializers.IntegerField()
    spent = DollarsOut(source="spent_nanos")
    held_nanos = serializers.IntegerField()
    held = DollarsOut(source="held_nanos")
    over_nanos = serializers.IntegerField()
    over = DollarsOut(source="over_nanos")
    free_nanos = serializers.IntegerField()
    free = DollarsOut(source="free_nanos")
    starts_at = MomentOut(source="starts_us")
    resets_at = MomentOut(source="ends_us")

    @extend_schema_field({"type": "string", "enum": list(SCOPES)})
    def get_scope(self, standing: Standing) -> str:
        budget = standing.budget
        is_general = budget.scope == Budget.Scope.KEY and budget.api_key_id is None
        return "each_key" if is_general else str(budget.scope)


class Limit(Strict):
    """A limit, as `limit_nanos` or as `limit` in dollars; one of them, not both."""

    limit_nanos = Nanos(required=False)
    limit = DollarsIn(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(
                {"limit_nanos": ["Give limit_nanos or limit, and not both."]}
            )
        return attrs


class BudgetQuery(PageQuery):
    tenant = serializers.CharField(required=False, max_length=128)
    period = serializers.ChoiceField(Budget.Period.choices, required=False)
    key = serializers.IntegerField(
        required=False, min_value=1, max_value=ID_MAX, help_text="What limits this key by itself."
    )


class Budgets(Endpoint, get="budgets:read"):
    query = BudgetQuery

    @extend_schema(responses=page_of(BudgetAnswer))
    def get(self, request: Request) -> Response:
        """Where budgets stand now, newest first; `limit` counts budgets, not rows."""
        rows = access.visible(
            Budget.objects.filter(is_active=True), self.actor, "budgets:read"
        ).select_related("tenant", "api_key")
        if self.asked.get("tenant"):
            rows = rows.filter(tenant__external_id=self.asked["tenant"])
        if "period" in self.asked:
            rows = rows.filter(period=self.asked["period"])
        key = None
        if "key" in self.asked:
            key = key_of(self.actor, "budgets:read", self.asked["key"])
            rows = rows.filter(_of_key(key))
        page, following = self.cut(rows)
        found = standings.current(Budget.objects.filter(id__in=[row.id for row in page]), now_us())
        found = found if key is None else _own(found, key)
        order = sorted(found, key=lambda each: -each.budget.id)
        return paged(BudgetAnswer, order, following)


class OneBudget(Endpoint, of=Budget, delete="budgets:write"):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: int) -> Response:
        """The limit holds no more; what was spent stays counted."""
        rows = Budget.objects.filter(is_active=True).select_related("tenant", "api_key")
        budget = access.find(rows, self.actor, "budgets:write", id=id)
        administration.archive_budget(self.actor.name, budget)
        return Response(status=204)


class _Setting(Endpoint):
    """One limit, set; the same again changes nothing."""

    def answer(
        self, tenant: Tenant, period: str, *, key: ApiKey | None = None, each_key: bool = False
    ) -> Response:
        if period not in Budget.Period.values:
            raise Http404
        [limit] = self.body(Limit).values()
        budget = administration.set_budget(
            self.actor.name, tenant, period, limit, key=key, each_key=each_key
        )
        found = standings.current(Budget.objects.filter(id=budget.id), now_us())
        return Response(BudgetAnswer(found[-1]).data)


class TenantBudget(_Setting, of=Tenant, put="budgets:write"):
    @extend_schema(request=Limit, responses=BudgetAnswer)
    def put(self, request: Request, external_id: str, period: str) -> Response:
        """Set what the whole tenant may spend in a day or month; it holds at once."""
        return self.answer(tenant_of(self.actor, "budgets:write", external_id), period)


class EachKeyBudget(_Setting, of=Tenant, put="budgets:write"):
    @extend_schema(request=Limit, responses=BudgetAnswer)
    def put(self, request: Request, external_id: str, period: str) -> Response:
        """Set what each key of the tenant may spend that has no limit of its own."""
        tenant = tenant_of(self.actor, "budgets:write", external_id)
        return self.answer(tenant, period, each_key=True)


class KeyBudget(_Setting, of=ApiKey, put="budgets:write"):
    @extend_schema(request=Limit, responses=BudgetAnswer)
    def put(self, request: Request, id: int, period: str) -> Response:
        """Set what one key may spend in a day or month; it holds at once."""
        key = key_of(self.actor, "budgets:write", id)
        return self.answer(key.tenant, period, key=key)


def _of_key(key: ApiKey) -> Q:
    """Its own limits and, for periods where it has none, the limits of each key of its tenant."""
    own = Budget.objects.filter(api_key=key, is_active=True)
    general = Q(tenant=key.tenant_id, scope=Budget.Scope.KEY, api_key=None)
    return Q(api_key=key) | (general & ~Q(period__in=own.values("period")))


def _own(found: list[Standing], key: ApiKey) -> list[Standing]:
    """Of each budget the row of this key; a key that has not spent stands as any new one."""
    rows = {each.budget.id: replace(each, key=key) for each in found if each.key is None}
    return list((rows | {each.budget.id: each for each in found if each.key == key}).values())
