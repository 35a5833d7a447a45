"""People."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class People(Page, get="members:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SetMember(Page, get="members:write", post="members:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class UnsetMember(Page, get="members:write", post="members:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ResetPassword(Page, get="members:write", post="members:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class CreateToken(Page, get="tokens:write", post="tokens:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class RevokeToken(Page, get="tokens:write", post="tokens:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
