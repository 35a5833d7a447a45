"""Overview."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Overview(Page, get="reports:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
