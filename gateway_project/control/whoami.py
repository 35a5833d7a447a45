"""Who asks, and what they may: for scripts that want to know before they try."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from budgets.models import Tenant

from .base import ANYBODY, Endpoint


class GrantAnswer(serializers.Serializer[Any]):
    tenant = serializers.CharField(allow_null=True, help_text="null for all tenants.")
    permissions = serializers.ListField(child=serializers.CharField())


class ActorAnswer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="As the audit names this actor.")
    grants = GrantAnswer(many=True)


class WhoAmI(Endpoint, get=ANYBODY):
    @extend_schema(responses=ActorAnswer)
    def get(self, request: Request) -> Response:
        """The name and the grants of whoever asks; needs no permission."""
        ids = {grant.tenant_id for grant in self.actor.grants if grant.tenant_id is not None}
        names = dict(Tenant.objects.filter(id__in=ids).values_list("id", "external_id"))
        grants = [
            {
                "tenant": None if grant.tenant_id is None else names.get(grant.tenant_id),
                "permissions": sorted(grant.permissions),
            }
            for grant in self.actor.grants
        ]
        return Response(ActorAnswer({"name": self.actor.name, "grants": grants}).data)
