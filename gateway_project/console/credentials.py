"""Credentials."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Credentials(Page, get="credentials:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SetCredential(Page, get="credentials:write", post="credentials:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ChangeCredential(Page, get="credentials:write", post="credentials:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ArchiveCredential(Page, get="credentials:write", post="credentials:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class TestCredential(Page, post="credentials:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
