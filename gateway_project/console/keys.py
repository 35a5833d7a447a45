"""Keys."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Keys(Page, get="keys:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class CreateKey(Page, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ChangeKey(Page, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class RotateKey(Page, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class RevokeKey(Page, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
