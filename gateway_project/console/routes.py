"""Routes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Routes(Page, get="routes:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SetRoute(Page, get="routes:write", post="routes:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ChangeRoute(Page, get="routes:write", post="routes:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ArchiveRoute(Page, get="routes:write", post="routes:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
