"""Routes by REST: public model names and the targets that are tried for them, in order."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from providers.catalog import PROVIDERS

from .. import access, administration
from ..models import Credential, Route
from .base import Endpoint
from .shapes import MODEL_MAX, PageQuery, Strict, Text, Whole, page_of

TARGETS_MAX = 10
OUTPUT_TOKENS_MAX = 1_000_000
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:@/\-]{0,255}$"


class TargetAnswer(serializers.Serializer[object]):
    provider = serializers.CharField()
    model = serializers.CharField()
    credential = serializers.CharField(source="credential.name", allow_null=True)


class RouteAnswer(serializers.Serializer[Route]):
    name = serializers.CharField()
    targets = TargetAnswer(many=True)
    output_tokens_default = serializers.IntegerField()


class TargetIn(Strict):
    provider = serializers.ChoiceField(sorted(PROVIDERS))
    model = Text(max_length=MODEL_MAX)
    credential = Text(
        max_length=100,
        required=False,
        allow_null=True,
        help_text="The name of a credential; null for the provider's own variable.",
    )


class RoutePut(Strict):
    targets = serializers.ListField(
        child=TargetIn(),
        min_length=1,
        max_length=TARGETS_MAX,
        help_text="Tried in this order.",
    )
    output_tokens_default = Whole(
        min_value=1,
        max_value=OUTPUT_TOKENS_MAX,
        required=False,
        help_text="What is held for an answer whose caller names no cap.",
    )


class RouteName(serializers.RegexField):
    def __init__(self) -> None:
        super().__init__(NAME)


class RouteQuery(PageQuery):
    q = serializers.CharField(required=False, max_length=100, help_text="Part of a name.")


class Routes(Endpoint, get="routes:read"):
    query = RouteQuery

    @extend_schema(responses=page_of(RouteAnswer))
    def get(self, request: Request) -> Response:
        """Every public model name that calls may use."""
        rows = _active()
        if self.asked.get("q"):
            rows = rows.filter(name__icontains=self.asked["q"])
        return self.page(RouteAnswer, rows)


class OneRoute(Endpoint, get="routes:read", put="routes:write", delete="routes:write"):
    @extend_schema(responses=RouteAnswer)
    def get(self, request: Request, name: str) -> Response:
        """One route; its name may contain slashes."""
        return Response(RouteAnswer(_find(name)).data)

    @extend_schema(request=RoutePut, responses={200: RouteAnswer, 201: RouteAnswer})
    def put(self, request: Request, name: str) -> Response:
        """Make the route or replace its targets; the same again changes nothing."""
        access.check(self.actor, "routes:write")
        wanted = self.body(RoutePut)
        name = RouteName().run_validation(name)
        targets = [
            (target["provider"], target["model"], _credential(at, target))
            for at, target in enumerate(wanted["targets"])
        ]
        is_new = not _active().filter(name=name).exists()
        administration.set_route(
            self.actor.name, name, targets, wanted.get("output_tokens_default")
        )
        return Response(RouteAnswer(_find(name)).data, status=201 if is_new else 200)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """The name is unknown to callers from now on."""
        access.check(self.actor, "routes:write")
        administration.archive_route(self.actor.name, _find(name))
        return Response(status=204)


def _active() -> QuerySet[Route]:
    return Route.objects.filter(is_active=True).prefetch_related("targets__credential")


def _find(name: str) -> Route:
    route = _active().filter(name=name).first()
    if route is None:
        raise Http404
    return route


def _credential(at: int, target: dict[str, str | None]) -> Credential | None:
    """A key of one provider is never sent in the name of another."""
    name = target.get("credential")
    if name is None:
        return None
    found = Credential.objects.filter(name=name, is_active=True).first()
    if found is None or found.provider != target["provider"]:
        text = f"There is no credential {name!r} of {target['provider']}."
        raise serializers.ValidationError({"targets": {str(at): {"credential": [text]}}})
    return found
