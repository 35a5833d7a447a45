"""What every endpoint stands on: who asks, whether they may, and how bodies and pages are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.utils.http import urlencode
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, NotAuthenticated
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from .. import access
from ..reading import read_json
from ..roles import Actor
from .schema import Described
from .shapes import ID_MAX, Query, Strict

Row = TypeVar("Row", bound=Model)
ANYBODY = "anybody"  # who is known at all, whatever they may do


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer tga_...`; `request.user` is the Actor."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if not text:
            return None
        actor = access.of_token(text) if scheme.lower() == "bearer" else None
        if actor is None:
            raise AuthenticationFailed("Incorrect or expired admin token.", "invalid_admin_token")
        return actor, "token"

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BrowserAuthentication(SessionAuthentication):
    """The console's session, for the API's own pages; changes need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        found = super().authenticate(request)
        return None if found is None else (access.of_user(found[0]), "session")


class StrictJson(BaseParser):
    """Bodies are read as the gateway's other doors read them: strictly, and not too deep."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return read_json(stream.read(), media_type or "")


class OnlyJson(DefaultContentNegotiation):
    """Every answer is JSON, whatever the caller would rather have."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """`class Keys(Endpoint, get="keys:read", post="keys:write")`: each method's permission.

    Being let in means that the permission is held somewhere; which rows are shown or changed is
    narrowed by `access.visible` and `access.find`. An endpoint whose path names a row of a tenant
    says `of` what. `query` names the parameters of GET; any other is refused, and so is every one
    of a method that changes something.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    of: ClassVar[type[Model] | None] = None
    query: ClassVar[type[Query]] = Query
    authentication_classes = (TokenAuthentication, BrowserAuthentication)
    parser_classes = (StrictJson,)
    content_negotiation_class = OnlyJson
    metadata_class = None
    schema = Described()
    asked: Mapping[str, Any]

    def __init_subclass__(cls, of: type[Model] | None = None, **needs: str) -> None:
        super().__init_subclass__()
        if needs:
            cls.needs, cls.of = needs, of

    @property
    def actor(self) -> Actor:
        actor: Actor = self.request.user  # type: ignore[assignment]  # ours, see above
        return actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.user is None:
            raise NotAuthenticated("An admin token is needed: Authorization: Bearer tga_...")
        method = str(request.method).lower()
        method = "get" if method == "head" else method
        needed = self.needs.get(method)
        if needed is None or not hasattr(self, method):  # what names no permission is closed
            raise MethodNotAllowed(method.upper())
        _check_path(kwargs)
        if needed != ANYBODY:
            access.enter(self.actor, needed, self.of, kwargs)
        self.asked = _read(self.query if method == "get" else Query, request.query_params.dict())

    def body(self, shape: type[Strict], **options: Any) -> dict[str, Any]:
        """The request's body in this shape; raises ValidationError naming the field."""
        return _read(shape, self.request.data, **options)

    def page(self, shape: type[BaseSerializer[Any]], rows: QuerySet[Row], *order: str) -> Response:
        """A page of rows, see `cut`, as `shape` shows them."""
        found, following = self.cut(rows, *order)
        return paged(shape, found, following)

    def cut(self, rows: QuerySet[Row], *order: str) -> tuple[list[Row], str | None]:
        """The page that is asked for, and the path of the next one. Needs a `PageQuery`.

        Keyset pages: `order` names one or two whole-number columns, the last one unique, each
        descending. So pages are stable while rows are added.
        """
        limit = int(self.asked["limit"])
        after = [int(part) for part in self.asked.get("cursor", "").split("_") if part]
        names = order or ("id",)
        if len(after) == len(names):
            rows = rows.filter(_below(names, after))
        found = list(rows.order_by(*(f"-{name}" for name in names))[: limit + 1])
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        cursor = "_".join(str(getattr(last, name)) for name in names)
        return found[:limit], self.following(cursor)

    def following(self, cursor: str) -> str:
        """This request's own path with another cursor."""
        parameters = {**self.request.query_params.dict(), "cursor": cursor}
        return f"{self.request.path}?{urlencode(parameters)}"


def paged(shape: type[BaseSerializer[Any]], rows: Sequence[Any], following: str | None) -> Response:
    return Response({"next": following, "results": shape(rows, many=True).data})


def _read(shape: type[Strict], data: Any, **options: Any) -> dict[str, Any]:
    read = shape(data=data, **options)
    read.is_valid(raise_exception=True)
    found: dict[str, Any] = read.validated_data
    return found


def _check_path(parts: Mapping[str, Any]) -> None:
    """What no row can have is not looked for: some databases would fail at it."""
    for part in parts.values():
        if (isinstance(part, int) and part > ID_MAX) or (isinstance(part, str) and "\0" in part):
            raise Http404


def _below(names: Sequence[str], values: Sequence[int]) -> Q:
    """(a, b) < (x, y), as a < x or a = x and b < y."""
    first = Q(**{f"{names[0]}__lt": values[0]})
    if len(names) == 1:
        return first
    return first | Q(**{names[0]: values[0], f"{names[1]}__lt": values[1]})
