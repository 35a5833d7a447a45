"""The OpenAPI document of the management API, made from its code, and the page that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from .shapes import EXTERNAL_ID, ID_MAX, ErrorAnswer, Query, Strict

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ERRORS = {
    "400": "A parameter or field is wrong; `param` names it.",
    "401": "No admin token, or one that works no more.",
    "403": "The token has not got the permission.",
    "404": "There is no such thing, or none that you may see.",
    "405": "There is no such method here.",
}
CONFLICT = "It cannot be changed as it stands; the message says why."
NOT_JSON = "The body is not `application/json`."
PATH_PARTS: dict[str, dict[str, Any]] = {
    "external_id": {"type": "string", "pattern": EXTERNAL_ID},
    "period": {"type": "string", "enum": ["day", "month"]},
    "id": {"type": "integer", "minimum": 1, "maximum": ID_MAX},
    "name": {"type": "string", "minLength": 1, "maxLength": 256},
    "call": {"type": "string", "minLength": 1, "maxLength": 40},
}


class Described(AutoSchema):
    """How an endpoint is described: its query, its errors, and bodies that take nothing else."""

    def get_operation_id(self) -> str:
        return f"{self.method.lower()}{type(self.view).__name__}"

    def get_override_parameters(self) -> list[Any]:
        query: type[Query] = getattr(self.view, "query", Query)
        return [query] if self.method == "GET" and query is not Query else []

    def _resolve_path_parameters(self, variables: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "in": "path",
                "name": name,
                "required": True,
                "schema": PATH_PARTS.get(name, {"type": "string", "minLength": 1}),
            }
            for name in variables
        ]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Strict):
            schema["additionalProperties"] = False
        return schema

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        answers = super()._get_response_bodies(direction)
        errors = dict(ERRORS)
        if self.method in CHANGES:
            errors["409"] = CONFLICT
        if self.method in CHANGES - {"DELETE"}:
            errors["415"] = NOT_JSON
        shape = self.resolve_serializer(ErrorAnswer, direction).ref
        for status, text in errors.items():
            content = {"application/json": {"schema": shape}}
            answers[status] = {"description": text, "content": content}
        return answers


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "gateway_project.control.base.TokenAuthentication"
    name = "adminToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An admin token, `tga_...`"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "gateway_project.control.base.BrowserAuthentication"
    name = "consoleSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def only_ours(endpoints: Sequence[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Of all views, those of the management API: the ones that this module describes."""
    return [
        each for each in endpoints if isinstance(getattr(each[3].cls, "schema", None), Described)
    ]
