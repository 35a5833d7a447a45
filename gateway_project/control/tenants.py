"""Tenants by REST, named by their external id."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from budgets.models import Tenant

from .. import access, administration
from ..administration.tenants import RETENTION_DAYS_MAX
from ..roles import Actor
from .base import Endpoint
from .shapes import EXTERNAL_ID, NAME_MAX, PageQuery, Strict, Text, Truth, Whole, Zone, page_of


class TenantAnswer(serializers.ModelSerializer[Tenant]):
    class Meta:
        model = Tenant
        fields = read_only_fields = (
            "external_id",
            "name",
            "zone",
            "retention_days",
            "is_active",
            "created_at",
        )


class ExternalId(serializers.RegexField):
    """Your own name for a tenant; it never changes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(EXTERNAL_ID, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TenantPut(Strict):
    """What is left out stays as it is, or gets its default where the tenant is new."""

    name = Text(max_length=NAME_MAX)
    zone = Zone(required=False, help_text="A time zone; its days and months begin there.")
    retention_days = Whole(
        min_value=1,
        max_value=RETENTION_DAYS_MAX,
        required=False,
        help_text="How long the request log is kept. The books are kept for ever.",
    )
    is_active = Truth(required=False, help_text="Whether its keys may call.")


class NewTenant(Strict):
    external_id = ExternalId()
    name = Text(max_length=NAME_MAX)
    zone = Zone(default="UTC")
    retention_days = Whole(min_value=1, max_value=RETENTION_DAYS_MAX, default=400)


class TenantQuery(PageQuery):
    q = serializers.CharField(required=False, max_length=100, help_text="Part of a name or id.")
    is_active = serializers.BooleanField(required=False)


class Tenants(Endpoint, get="tenants:read", post="tenants:create"):
    query = TenantQuery

    @extend_schema(responses=page_of(TenantAnswer))
    def get(self, request: Request) -> Response:
        """The tenants that you may see, newest first."""
        rows = access.visible(Tenant.objects.all(), self.actor, "tenants:read", "id")
        words = self.asked.get("q")
        if words:
            rows = rows.filter(Q(name__icontains=words) | Q(external_id__icontains=words))
        if "is_active" in self.asked:
            rows = rows.filter(is_active=self.asked["is_active"])
        return self.page(TenantAnswer, rows)

    @extend_schema(request=NewTenant, responses={201: TenantAnswer})
    def post(self, request: Request) -> Response:
        """Make a tenant; 409 where there is one of that external id."""
        access.check(self.actor, "tenants:create")
        tenant = administration.create_tenant(self.actor.name, **self.body(NewTenant))
        return Response(TenantAnswer(tenant).data, status=201)


class OneTenant(
    Endpoint,
    of=Tenant,
    get="tenants:read",
    put="tenants:write",
    patch="tenants:write",
    delete="tenants:write",
):
    @extend_schema(responses=TenantAnswer)
    def get(self, request: Request, external_id: str) -> Response:
        """One tenant."""
        return Response(TenantAnswer(tenant_of(self.actor, "tenants:read", external_id)).data)

    @extend_schema(request=TenantPut, responses={200: TenantAnswer, 201: TenantAnswer})
    def put(self, request: Request, external_id: str) -> Response:
        """Make the tenant (this needs tenants:create too) or change it; again changes nothing."""
        is_known = Tenant.objects.filter(external_id=external_id).exists()
        if is_known:
            tenant_of(self.actor, "tenants:write", external_id)
        elif not self.actor.sees(None):  # a tenant of somebody else would look the same
            raise Http404
        wanted = self.body(TenantPut)
        if is_known:
            return self._changed(external_id, wanted)
        try:
            tenant = self._made(external_id, wanted)
        except IntegrityError:  # somebody else made it at the same moment
            return self._changed(external_id, wanted)
        return Response(TenantAnswer(tenant).data, status=201)

    @extend_schema(request=TenantPut, responses=TenantAnswer)
    def patch(self, request: Request, external_id: str) -> Response:
        """Change what is given. A new zone counts from the end of the windows that are open."""
        return self._changed(external_id, self.body(TenantPut, partial=True))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, external_id: str) -> Response:
        """Archive the tenant: its keys are refused, its books stay."""
        self._changed(external_id, {"is_active": False})
        return Response(status=204)

    def _changed(self, external_id: str, wanted: dict[str, Any]) -> Response:
        tenant = tenant_of(self.actor, "tenants:write", external_id)
        tenant = administration.update_tenant(self.actor.name, tenant, **wanted)
        return Response(TenantAnswer(tenant).data)

    def _made(self, external_id: str, wanted: dict[str, Any]) -> Tenant:
        access.check(self.actor, "tenants:create")
        shown = NewTenant(data={"external_id": external_id, "name": wanted["name"]})
        shown.is_valid(raise_exception=True)
        is_active = wanted.pop("is_active", True)
        tenant = administration.create_tenant(self.actor.name, external_id, **wanted)
        if is_active:
            return tenant
        return administration.update_tenant(self.actor.name, tenant, is_active=False)


def tenant_of(actor: Actor, permission: str, external_id: str) -> Tenant:
    """The tenant of this name; raises Http404 or PermissionDenied."""
    return access.find(Tenant.objects.all(), actor, permission, "id", external_id=external_id)
