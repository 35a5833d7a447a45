"""What every endpoint stands on: who asks, whether they may, and how errors and pages look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Model
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from .. import access
from ..roles import Actor


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


class Endpoint(APIView):
    """`class Keys(Endpoint, get="keys:read", post="keys:write")`: each method's permission.

    Being let in means that the permission is held somewhere; which rows are shown or changed is
    narrowed by `access.visible` and `access.find`. An endpoint whose path names a row of a tenant
    says `of` what.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    of: ClassVar[type[Model] | None] = None
    authentication_classes = (TokenAuthentication, BrowserAuthentication)

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
        needed = self.needs.get("get" if method in {"head", "options"} else method)
        if needed is not None:  # a method without one has no handler: 405
            access.enter(self.actor, needed, self.of, kwargs)


class Pages(CursorPagination):
    """Keyset pages: `?cursor=` from `next`, `?limit=` up to 200; stable while rows are added."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-id"
