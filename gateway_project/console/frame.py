"""What every page stands in: who looks, what they may see, the rail, and the pages for errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from .. import access
from ..roles import Actor


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the rail: shown to those who have `needs` somewhere."""

    title: str
    name: str
    icon: str
    needs: str

    @property
    def url(self) -> str:
        return reverse(self.name)


RAIL: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item("Overview", "overview", "home", "reports:read"),
            Item("Requests", "requests", "list-details", "requests:read"),
            Item("Playground", "playground", "message-chatbot", "routes:read"),
        ),
    ),
    (
        "Tenants",
        (
            Item("Tenants", "tenants", "building", "tenants:read"),
            Item("API keys", "keys", "key", "keys:read"),
            Item("Budgets", "budgets", "coin", "budgets:read"),
            Item("People and tokens", "people", "users-group", "members:read"),
        ),
    ),
    (
        "Models",
        (
            Item("Routes", "routes", "route", "routes:read"),
            Item("Credentials", "credentials", "plug-connected", "credentials:read"),
            Item("Models and prices", "prices", "tag", "prices:read"),
        ),
    ),
    (
        "Books",
        (
            Item("Reports", "reports", "report-money", "reports:read"),
            Item("Audit", "audit", "shield-check", "audit:read"),
        ),
    ),
)


class Page(View):
    """A page for people who are logged in: `class Keys(Page, get="keys:read", post="keys:write")`.

    The keywords name the permission of each method that the page has; there are no others. Being
    let in means that the permission is held somewhere; which rows are shown or changed is narrowed
    by `access.visible` and `access.find`. A page whose path names a row of a tenant says `of` what.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    of: ClassVar[type[Model] | None] = None
    actor: Actor

    def __init_subclass__(cls, of: type[Model] | None = None, **needs: str) -> None:
        super().__init_subclass__()
        cls.needs, cls.of = needs, of

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        self.actor = access.of_user(request.user)
        needed = self.needs.get("get" if request.method == "HEAD" else str(request.method).lower())
        if needed is None:
            return HttpResponseNotAllowed(sorted(name.upper() for name in self.needs))
        access.enter(self.actor, needed, self.of, kwargs)
        return super().dispatch(request, *args, **kwargs)

    def render(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        context["actor"] = self.actor
        return render(self.request, template, context, status=status)


def context(request: HttpRequest) -> dict[str, Any]:
    """For every template: the rail as this actor may see it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"rail": []}
    actor = access.of_user(user)
    groups = [
        (title, [item for item in items if actor.may_somewhere(item.needs)])
        for title, items in RAIL
    ]
    return {
        "rail": [(title, items) for title, items in groups if items],
        "here": request.path,
        "may": {name.replace(":", "_"): True for g in actor.grants for name in g.permissions},
    }


def problem(request: HttpRequest, status: int, text: str) -> HttpResponse:
    """An error in the frame of the console, with the request's id to ask for it by."""
    shown = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "text": text,
        "request_id": request.scope.get("request_id", "") if hasattr(request, "scope") else "",
    }
    return render(request, "console/problem.html", shown, status=status)


def no_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from a page of ours, or came too late."""
    return problem(request, 403, "This form is too old or did not come from here. Load it again.")
