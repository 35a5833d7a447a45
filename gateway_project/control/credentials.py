"""Credentials by REST: a provider's address and key. The key goes in and never comes out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from providers.catalog import PROVIDERS

from .. import access, administration, probe
from ..models import Credential
from .base import Endpoint
from .shapes import PageQuery, Strict, Text, page_of

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$"
ADDRESS_MAX = 500
SECRET_MAX = 4_000
ADDRESS = re.compile(r"https?://[\x21-\x7e]+")


class CredentialAnswer(serializers.Serializer[Credential]):
    name = serializers.CharField()
    provider = serializers.CharField()
    base_url = serializers.CharField(help_text="Empty: the provider's usual address.")
    has_secret = serializers.SerializerMethodField()

    def get_has_secret(self, credential: Credential) -> bool:
        return bool(credential.sealed_key)


class Address(Text):
    """The address that calls go to: a plain one, in which nothing can hide."""

    def to_internal_value(self, data: object) -> str:
        text = super().to_internal_value(data)
        if text and not _is_plain(text):
            raise serializers.ValidationError(
                "It must read https://host/path, without a user, a query and a fragment."
            )
        return text


class CredentialPut(Strict):
    provider = serializers.ChoiceField(sorted(PROVIDERS))
    base_url = Address(
        max_length=ADDRESS_MAX,
        allow_blank=True,
        default="",
        help_text="Where calls go; empty for the provider's usual address.",
    )
    secret = Text(
        max_length=SECRET_MAX,
        allow_blank=True,
        allow_null=True,
        default=None,
        write_only=True,
        help_text="The provider's key. Left out, the key stays, if the address stays too.",
    )


class TestAnswer(serializers.Serializer[probe.Result]):
    """What one call with this credential came to."""

    ok = serializers.BooleanField()
    status = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()


class Credentials(Endpoint, get="credentials:read"):
    query = PageQuery

    @extend_schema(responses=page_of(CredentialAnswer))
    def get(self, request: Request) -> Response:
        """Every credential, without its secret."""
        access.check(self.actor, "credentials:read")
        return self.page(CredentialAnswer, Credential.objects.filter(is_active=True))


class OneCredential(
    Endpoint, get="credentials:read", put="credentials:write", delete="credentials:write"
):
    @extend_schema(responses=CredentialAnswer)
    def get(self, request: Request, name: str) -> Response:
        """One credential, without its secret."""
        access.check(self.actor, "credentials:read")
        return Response(CredentialAnswer(_find(name)).data)

    @extend_schema(request=CredentialPut, responses={200: CredentialAnswer, 201: CredentialAnswer})
    def put(self, request: Request, name: str) -> Response:
        """Make or replace the credential. A new provider or address needs its own secret."""
        access.check(self.actor, "credentials:write")
        wanted = self.body(CredentialPut)
        name = serializers.RegexField(NAME).run_validation(name)
        is_new = not Credential.objects.filter(name=name, is_active=True).exists()
        credential = administration.set_credential(self.actor.name, name, **wanted)
        return Response(CredentialAnswer(credential).data, status=201 if is_new else 200)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Archive the credential and wipe its secret; 409 while a route goes through it."""
        access.check(self.actor, "credentials:write")
        administration.archive_credential(self.actor.name, _find(name))
        return Response(status=204)


class TestCredential(Endpoint, post="credentials:write"):
    @extend_schema(request=Strict, responses=TestAnswer)
    def post(self, request: Request, name: str) -> Response:
        """Ask the provider for its models with this credential; costs nothing."""
        access.check(self.actor, "credentials:write")
        self.body(Strict)
        return Response(TestAnswer(probe.test(_find(name))).data)


def _find(name: str) -> Credential:
    credential = Credential.objects.filter(name=name, is_active=True).first()
    if credential is None:
        raise Http404
    return credential


def _is_plain(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    hidden = "@" in parts.netloc or "?" in text or "#" in text or "\\" in text
    return ADDRESS.fullmatch(text) is not None and bool(parts.hostname) and has_port and not hidden
