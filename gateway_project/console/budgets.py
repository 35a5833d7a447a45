"""Budgets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .frame import Page


class Budgets(Page, get="budgets:read"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class SetBudget(Page, get="budgets:write", post="budgets:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError


class ArchiveBudget(Page, get="budgets:write", post="budgets:write"):
    def get(self, request: HttpRequest, **ids: object) -> HttpResponse:
        raise NotImplementedError
