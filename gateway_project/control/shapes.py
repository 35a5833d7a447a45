"""What bodies, query strings and answers are made of: fields that take nothing for something else.

JSON has types, so a number is no text and a text no truth. What a shape does not name is refused
by its name; nothing is ever silently ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from budgets import money, periods

ID_MAX = 2**63 - 1
NAME_MAX = 200
MODEL_MAX = 256
CURSOR = r"^-?[0-9]{1,18}(_[0-9]{1,18})?$"
EXTERNAL_ID = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}$"
DOLLARS = r"^[0-9]{1,10}(\.[0-9]{1,9})?$"
ANSWERED_DOLLARS = r"^-?[0-9]{1,10}\.[0-9]{2,9}$"
PAGE_ROWS = 50
PAGE_ROWS_MAX = 200


class Strict(serializers.Serializer[Any]):
    """A body that may hold its own fields and no others."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            own = {name for name, field in self.fields.items() if not field.read_only}
            unknown = next((name for name in data if name not in own), None)
            if unknown is not None:
                shown = str(unknown)[:100].encode("utf-8", "replace").decode()
                raise serializers.ValidationError({shown: ["There is no such field here."]})
        return super().to_internal_value(data)


class Query(Strict):
    """A query string; this one has no parameters at all."""


class PageQuery(Query):
    """Where a page begins, and how many rows it has."""

    cursor = serializers.RegexField(
        CURSOR, required=False, help_text="From `next` of the page before."
    )
    limit = serializers.IntegerField(min_value=1, max_value=PAGE_ROWS_MAX, default=PAGE_ROWS)


class Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:  # a bool is an int to isinstance
            self.fail("invalid")
        return super().to_internal_value(data)


class Truth(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Zone(Text):
    """The name of a time zone, spelled as the tz database spells it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        zone = super().to_internal_value(data)
        try:
            periods.check_zone(zone)
        except periods.UnknownZone as error:
            raise serializers.ValidationError(str(error)) from error
        return zone


class Nanos(Whole):
    """A limit in nano-dollars."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=money.NANOS_MAX, **kwargs)


@extend_schema_field({"type": "string", "pattern": DOLLARS, "examples": ["12.50"]})
class DollarsIn(Text):
    """An amount of dollars as decimal text; becomes nano-dollars."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return money.parse_dollars(super().to_internal_value(data))
        except money.BadAmount as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_field({"type": "string", "pattern": ANSWERED_DOLLARS, "examples": ["12.50"]})
class DollarsOut(serializers.Field[int, Any, str, Any]):
    """Nano-dollars as decimal text in dollars, exact."""

    def to_representation(self, value: int) -> str:
        return money.decimal_text(value)


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentOut(serializers.Field[int, Any, str, Any]):
    """Microseconds since the epoch as ISO 8601 in UTC."""

    def to_representation(self, value: int) -> str:
        return periods.iso(value)


class Problem(serializers.Serializer[Any]):
    """What went wrong, and with which parameter."""

    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class ErrorAnswer(serializers.Serializer[Any]):
    """Every answer that is not a success."""

    error = Problem()


def page_of(shape: type[serializers.BaseSerializer[Any]]) -> serializers.Serializer[Any]:
    """A page of rows of this shape, for the API's description."""
    following = serializers.CharField(
        allow_null=True, help_text="The path of the page after this one; null on the last page."
    )
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "next": following,
        "results": shape(many=True),
    }
    name = shape.__name__.removesuffix("Answer")
    made: serializers.Serializer[Any] = inline_serializer(f"{name}Page", fields)
    return made
