"""API keys by REST: a key's text is in the answer that makes or rotates it, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from budgets.models import ApiKey

from .. import access, administration
from ..administration.keys import OVERLAP_MAX
from ..roles import Actor
from .base import Endpoint
from .shapes import MODEL_MAX, NAME_MAX, PageQuery, Strict, Text, Whole, page_of
from .tenants import ExternalId, tenant_of

PATTERNS_MAX = 100
REQUESTS_MAX = 1_000_000


class KeyAnswer(serializers.ModelSerializer[ApiKey]):
    tenant = serializers.CharField(source="tenant.external_id")
    allowed_models = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiKey
        fields = read_only_fields = (
            "id",
            "tenant",
            "prefix",
            "name",
            "allowed_models",
            "requests_per_minute",
            "is_active",
            "expires_at",
            "previous_expires_at",
            "created_at",
        )


class NewKeyAnswer(KeyAnswer):
    """The only answer that holds the key's text."""

    key = serializers.CharField(source="text", read_only=True)

    class Meta:
        model = ApiKey
        fields = read_only_fields = (*KeyAnswer.Meta.fields, "key")


def patterns(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=Text(max_length=MODEL_MAX),
        max_length=PATTERNS_MAX,
        help_text="Names or patterns such as `gpt-*`; none allow every model.",
        **options,
    )


def rate(**options: Any) -> Whole:
    return Whole(
        min_value=1,
        max_value=REQUESTS_MAX,
        allow_null=True,
        help_text="null for no limit.",
        **options,
    )


class KeyPatch(Strict):
    name = Text(max_length=NAME_MAX)
    allowed_models = patterns()
    requests_per_minute = rate()
    expires_at = serializers.DateTimeField(allow_null=True)


class NewKey(Strict):
    tenant = ExternalId()
    name = Text(max_length=NAME_MAX)
    allowed_models = patterns(default=list)
    requests_per_minute = rate(default=60)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)


class Rotation(Strict):
    overlap_seconds = Whole(
        min_value=0,
        max_value=int(OVERLAP_MAX.total_seconds()),
        default=0,
        help_text="How long the text before still works.",
    )


class KeyQuery(PageQuery):
    q = serializers.CharField(required=False, max_length=100, help_text="Part of name or prefix.")
    tenant = serializers.CharField(required=False, max_length=128)
    is_active = serializers.BooleanField(required=False)


class Keys(Endpoint, get="keys:read", post="keys:write"):
    query = KeyQuery

    @extend_schema(responses=page_of(KeyAnswer))
    def get(self, request: Request) -> Response:
        """The keys that you may see, newest first."""
        rows = access.visible(_rows(), self.actor, "keys:read")
        words = self.asked.get("q")
        if words:
            rows = rows.filter(Q(name__icontains=words) | Q(prefix__startswith=words))
        if self.asked.get("tenant"):
            rows = rows.filter(tenant__external_id=self.asked["tenant"])
        if "is_active" in self.asked:
            rows = rows.filter(is_active=self.asked["is_active"])
        return self.page(KeyAnswer, rows)

    @extend_schema(request=NewKey, responses={201: NewKeyAnswer})
    def post(self, request: Request) -> Response:
        """Make a key; `key` is its text, shown this once."""
        known = self.body(NewKey)
        tenant = tenant_of(self.actor, "keys:write", known.pop("tenant"))
        key, text = administration.create_key(self.actor.name, tenant, **known)
        return Response(_with_text(key, text), status=201)


class OneKey(Endpoint, of=ApiKey, get="keys:read", patch="keys:write"):
    @extend_schema(responses=KeyAnswer)
    def get(self, request: Request, id: int) -> Response:
        """One key, without its text."""
        return Response(KeyAnswer(key_of(self.actor, "keys:read", id)).data)

    @extend_schema(request=KeyPatch, responses=KeyAnswer)
    def patch(self, request: Request, id: int) -> Response:
        """Change what is given."""
        key = key_of(self.actor, "keys:write", id)
        given = self.body(KeyPatch, partial=True)
        return Response(KeyAnswer(administration.update_key(self.actor.name, key, given)).data)


class RotateKey(Endpoint, of=ApiKey, post="keys:write"):
    @extend_schema(request=Rotation, responses=NewKeyAnswer)
    def post(self, request: Request, id: int) -> Response:
        """A new text for the same key, with its budgets and history; `key` is shown this once."""
        key = key_of(self.actor, "keys:write", id)
        overlap = timedelta(seconds=self.body(Rotation)["overlap_seconds"])
        key, text = administration.rotate_key(self.actor.name, key, overlap, datetime.now(UTC))
        return Response(_with_text(key, text))


class RevokeKey(Endpoint, of=ApiKey, post="keys:write"):
    @extend_schema(request=Strict, responses=KeyAnswer)
    def post(self, request: Request, id: int) -> Response:
        """No gateway accepts the key any more, a second from now; again changes nothing."""
        key = key_of(self.actor, "keys:write", id)
        self.body(Strict)
        if key.is_active:
            administration.revoke_key(self.actor.name, key)
            key.refresh_from_db()
        return Response(KeyAnswer(key).data)


def key_of(actor: Actor, permission: str, id: int) -> ApiKey:
    """The key of this id; raises Http404 or PermissionDenied."""
    return access.find(_rows(), actor, permission, id=id)


def _rows() -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("tenant")


def _with_text(key: ApiKey, text: str) -> dict[str, Any]:
    return {**KeyAnswer(key).data, "key": text}
