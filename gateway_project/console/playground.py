"""Playground."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Playground(Page, get="routes:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
