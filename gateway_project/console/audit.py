"""Audit."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Audit(Page, get="audit:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class OneEntry(Page, get="audit:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class Verify(Page, post="audit:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
