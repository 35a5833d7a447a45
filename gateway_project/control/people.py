"""Members and tokens by REST: who may do what. Nobody hands out what they have not got."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from budgets.models import Tenant

from .. import access, administration
from ..models import AdminToken, Membership
from ..roles import EVERYTHING, OF_TENANT, OPEN_TO_MEMBERS, Actor, Role, of_role, of_scopes
from .base import Endpoint
from .shapes import NAME_MAX, PageQuery, Strict, Text, page_of
from .tenants import ExternalId, tenant_of


class MemberAnswer(serializers.Serializer[Membership]):
    id = serializers.IntegerField()
    username = serializers.CharField(source="user.username")
    tenant = serializers.CharField(source="tenant.external_id", allow_null=True)
    role = serializers.ChoiceField([role.value for role in Role])


class NewMemberAnswer(MemberAnswer):
    password = serializers.CharField(
        allow_null=True, help_text="Of a person who is new; shown this once."
    )


class NewMember(Strict):
    username = Text(max_length=150, validators=[UnicodeUsernameValidator()])
    tenant = ExternalId(allow_null=True, help_text="null for all tenants.")
    role = serializers.ChoiceField([role.value for role in Role])


class TokenAnswer(serializers.ModelSerializer[AdminToken]):
    tenant = serializers.CharField(source="tenant.external_id", allow_null=True, read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = AdminToken
        fields = read_only_fields = (
            "id",
            "name",
            "prefix",
            "tenant",
            "scopes",
            "is_active",
            "expires_at",
            "created_at",
        )


class NewTokenAnswer(TokenAnswer):
    """The only answer that holds the token's text."""

    token = serializers.CharField(source="text", read_only=True)

    class Meta:
        model = AdminToken
        fields = read_only_fields = (*TokenAnswer.Meta.fields, "token")


class NewToken(Strict):
    name = Text(max_length=NAME_MAX)
    tenant = ExternalId(allow_null=True, help_text="null for all tenants.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(sorted(EVERYTHING)), min_length=1, max_length=len(EVERYTHING)
    )
    expires_at = serializers.DateTimeField(allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        beyond = sorted(set(attrs["scopes"]) - OF_TENANT - OPEN_TO_MEMBERS)
        if attrs["tenant"] is not None and beyond:
            text = f"{beyond[0]} is of the whole installation, not of one tenant."
            raise serializers.ValidationError({"scopes": [text]})
        return attrs


class MemberQuery(PageQuery):
    tenant = serializers.CharField(required=False, max_length=128)


class Members(Endpoint, get="members:read", post="members:write"):
    query = MemberQuery

    @extend_schema(responses=page_of(MemberAnswer))
    def get(self, request: Request) -> Response:
        """Who has which role where, newest first."""
        rows = access.visible(Membership.objects.all(), self.actor, "members:read")
        if self.asked.get("tenant"):
            rows = rows.filter(tenant__external_id=self.asked["tenant"])
        return self.page(MemberAnswer, rows.select_related("user", "tenant"))

    @extend_schema(request=NewMember, responses={201: NewMemberAnswer})
    def post(self, request: Request) -> Response:
        """Give a person a role, in place of the one they had there."""
        known = self.body(NewMember)
        tenant = _tenant(self.actor, "members:write", known["tenant"])
        role = Role(known["role"])
        before = Membership.objects.filter(user__username=known["username"], tenant=tenant)
        grant = of_role(role, tenant.id if tenant else None)
        access.check_hands_out(self.actor, grant, instead_of=before)
        member, password = administration.set_member(
            self.actor.name, known["username"], tenant, role
        )
        return Response({**MemberAnswer(member).data, "password": password}, status=201)


class OneMember(Endpoint, of=Membership, delete="members:write"):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: int) -> Response:
        """The person has no say there from the next request on."""
        rows = Membership.objects.select_related("user", "tenant")
        member = access.find(rows, self.actor, "members:write", id=id)
        access.check_hands_out(self.actor, instead_of=[member])
        administration.unset_member(self.actor.name, member)
        return Response(status=204)


class Tokens(Endpoint, get="tokens:read", post="tokens:write"):
    query = MemberQuery

    @extend_schema(responses=page_of(TokenAnswer))
    def get(self, request: Request) -> Response:
        """Admin tokens, without their texts, newest first."""
        rows = access.visible(AdminToken.objects.all(), self.actor, "tokens:read")
        if self.asked.get("tenant"):
            rows = rows.filter(tenant__external_id=self.asked["tenant"])
        return self.page(TokenAnswer, rows.select_related("tenant"))

    @extend_schema(request=NewToken, responses={201: NewTokenAnswer})
    def post(self, request: Request) -> Response:
        """Make a token; `token` is its text, shown this once."""
        known = self.body(NewToken)
        tenant = _tenant(self.actor, "tokens:write", known.pop("tenant"))
        grant = of_scopes(known["scopes"], tenant.id if tenant else None)
        access.check_hands_out(self.actor, grant)
        token, text = administration.create_token(self.actor.name, tenant=tenant, **known)
        return Response({**TokenAnswer(token).data, "token": text}, status=201)


class OneToken(Endpoint, of=AdminToken, delete="tokens:write"):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: int) -> Response:
        """Revoke the token: it is refused from the next request on."""
        rows = AdminToken.objects.filter(is_active=True)
        token = access.find(rows, self.actor, "tokens:write", id=id)
        administration.revoke_token(self.actor.name, token)
        return Response(status=204)


def _tenant(actor: Actor, permission: str, external_id: str | None) -> Tenant | None:
    if external_id is not None:
        return tenant_of(actor, permission, external_id)
    access.check(actor, permission)
    return None
