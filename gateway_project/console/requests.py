"""Requests."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Requests(Page, get="requests:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class OneRequest(Page, get="requests:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
