"""Prices."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Prices(Page, get="prices:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class OnePrice(Page, get="prices:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SetPrice(Page, get="prices:write", post="prices:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class OverridePrice(Page, get="prices:write", post="prices:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class RestorePrice(Page, post="prices:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SyncPrices(Page, post="prices:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
