"""Prices by REST: the dated table, overrides by admins, and the installed list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from providers.catalog import PROVIDERS

from .. import access, administration
from ..administration.prices import ADMIN
from ..errors import InvalidRequest
from ..models import Price
from .base import Endpoint
from .shapes import MODEL_MAX, PageQuery, Strict, Text, Whole, page_of

RATE = r"^[0-9]{1,6}(\.[0-9]{1,12})?$"
TIERS_MAX = 10
TOKENS_MAX = 1_000_000_000
TEXT = {"type": "string", "pattern": RATE}
TIER = {
    "type": "array",
    "prefixItems": [{"type": "integer", "minimum": 1, "maximum": TOKENS_MAX}, TEXT],
    "minItems": 2,
    "maxItems": 2,
}
TIERED = {
    "type": "object",
    "properties": {
        "base": TEXT,
        "tiers": {"type": "array", "items": TIER, "minItems": 1, "maxItems": TIERS_MAX},
    },
    "required": ["base", "tiers"],
    "additionalProperties": False,
}


@extend_schema_field({"anyOf": [TEXT, TIERED]})
class RateIn(serializers.Field[Any, Any, Any, Any]):
    """Dollars as decimal text, or a base with tiers by the number of input tokens."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            return self._tiered(data)
        return self._text(data)

    def to_representation(self, value: Any) -> Any:
        return value

    def _tiered(self, data: Mapping[str, Any]) -> dict[str, Any]:
        tiers = data.get("tiers")
        if set(data) != {"base", "tiers"} or not isinstance(tiers, list):
            raise serializers.ValidationError("A rate with tiers has a base and tiers.")
        if not 1 <= len(tiers) <= TIERS_MAX:
            raise serializers.ValidationError(f"There are 1 to {TIERS_MAX} tiers.")
        return {"base": self._text(data["base"]), "tiers": [self._tier(each) for each in tiers]}

    def _tier(self, data: Any) -> list[Any]:
        if not isinstance(data, list) or len(data) != 2 or type(data[0]) is not int:
            raise serializers.ValidationError('A tier reads [200000, "6"].')
        if not 1 <= data[0] <= TOKENS_MAX:
            raise serializers.ValidationError(f"A tier starts at 1 to {TOKENS_MAX} tokens.")
        return [data[0], self._text(data[1])]

    def _text(self, data: Any) -> str:
        if not isinstance(data, str) or re.fullmatch(RATE, data) is None:
            raise serializers.ValidationError('A rate is a decimal text of dollars: "2.50".')
        return data


class RatesIn(Strict):
    """Dollars per million tokens, by kind; `request` per call, `requests_kcount` per thousand."""

    input_mtok = RateIn(required=False)
    output_mtok = RateIn(required=False)
    cache_read_mtok = RateIn(required=False)
    cache_write_mtok = RateIn(required=False)
    cache_write_1h_mtok = RateIn(required=False)
    request = RateIn(required=False)
    requests_kcount = RateIn(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "input_mtok" not in attrs and "request" not in attrs:
            raise serializers.ValidationError({"input_mtok": ["Give input_mtok or request."]})
        return attrs


class PriceAnswer(serializers.ModelSerializer[Price]):
    rates = serializers.SerializerMethodField()
    is_override = serializers.SerializerMethodField()

    class Meta:
        model = Price
        fields = read_only_fields = (
            "id",
            "provider",
            "model",
            "rates",
            "context_window",
            "valid_from",
            "valid_to",
            "source",
            "source_version",
            "is_override",
        )

    @extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "object"]}})
    def get_rates(self, price: Price) -> dict[str, Any]:
        return {name: rate for name, rate in price.rates.items() if name != "variants"}

    def get_is_override(self, price: Price) -> bool:
        return bool(price.source == ADMIN)


class NewPrice(Strict):
    provider = serializers.ChoiceField(sorted(PROVIDERS))
    model = Text(max_length=MODEL_MAX)
    rates = RatesIn()
    context_window = Whole(min_value=1, max_value=TOKENS_MAX, allow_null=True, default=None)


class RestoredAnswer(serializers.Serializer[Any]):
    """The installed list's price, which holds again; null where the list has none."""

    price = PriceAnswer(allow_null=True)


class SyncAnswer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    closed = serializers.IntegerField()


class PriceQuery(PageQuery):
    q = serializers.CharField(required=False, max_length=100, help_text="Part of a model's name.")
    provider = serializers.CharField(required=False, max_length=100)
    history = serializers.BooleanField(
        default=False, help_text="Also those that are not in force any more."
    )


class Prices(Endpoint, get="prices:read", post="prices:write"):
    query = PriceQuery

    @extend_schema(responses=page_of(PriceAnswer))
    def get(self, request: Request) -> Response:
        """Prices, newest first."""
        return self.page(PriceAnswer, self._rows())

    @extend_schema(request=NewPrice, responses={201: PriceAnswer})
    def post(self, request: Request) -> Response:
        """From now on this model costs these rates; what was charged stays as it was."""
        access.check(self.actor, "prices:write")
        price = administration.override_price(self.actor.name, **self.body(NewPrice))
        return Response(PriceAnswer(price).data, status=201)

    def _rows(self) -> QuerySet[Price]:
        rows = Price.objects.all() if self.asked["history"] else Price.objects.filter(valid_to=None)
        if self.asked.get("q"):
            rows = rows.filter(model__icontains=self.asked["q"])
        if self.asked.get("provider"):
            rows = rows.filter(provider=self.asked["provider"])
        return rows


class OnePrice(Endpoint, get="prices:read"):
    @extend_schema(responses=PriceAnswer)
    def get(self, request: Request, id: int) -> Response:
        """One price, in force or not."""
        return Response(PriceAnswer(_find(id)).data)


class RestorePrice(Endpoint, post="prices:write"):
    @extend_schema(request=Strict, responses=RestoredAnswer)
    def post(self, request: Request, id: int) -> Response:
        """End an override that is in force; 409 for any other price."""
        access.check(self.actor, "prices:write")
        self.body(Strict)
        price = _find(id)
        if price.valid_to is not None or price.source != ADMIN:
            text = "This price is no override that is in force."
            raise InvalidRequest(text, code="conflict", status=409)
        restored = administration.restore_price(self.actor.name, price)
        return Response(RestoredAnswer({"price": restored}).data)


class SyncPrices(Endpoint, post="prices:write"):
    @extend_schema(request=Strict, responses=SyncAnswer)
    def post(self, request: Request) -> Response:
        """Take over the installed price list; overrides stay."""
        access.check(self.actor, "prices:write")
        self.body(Strict)
        added, closed = administration.sync_prices(self.actor.name)
        return Response(SyncAnswer({"added": added, "closed": closed}).data)


def _find(id: int) -> Price:
    price = Price.objects.filter(id=id).first()
    if price is None:
        raise Http404
    return price
