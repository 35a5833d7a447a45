"""Reports."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Reports(Page, get="reports:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SpendFile(Page, get="reports:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class FocusFile(Page, get="reports:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
