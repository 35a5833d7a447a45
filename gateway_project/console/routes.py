"""Routes: public model names, where their calls go, and the drawers that make and change them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from providers.catalog import PROVIDERS

from .. import access, administration
from ..control.routes import OUTPUT_TOKENS_MAX, RouteName
from ..control.shapes import MODEL_MAX
from ..models import Credential, Route
from ..price_list import without_price
from .answers import go
from .forms import Form
from .frame import Page
from .rules import RuledField

ROWS = 50
TARGET_ROWS = 5
WORDS_MAX = 100
CREDENTIALS_MAX = 1_000
CAP_HINT = "Held for the answer of a caller who names no cap, and sent as the cap."
Row = tuple[forms.BoundField, forms.BoundField, forms.BoundField, forms.BoundField]


class RouteForm(Form):
    """Targets by rows: `provider_0`, `model_0`, `credential_0`, `order_0`, ... Empty rows fall."""

    output_tokens_default = forms.IntegerField(
        min_value=1,
        max_value=OUTPUT_TOKENS_MAX,
        initial=4096,
        label="Output tokens by default",
        help_text=CAP_HINT,
    )

    def __init__(self, *args: Any, rows: int = TARGET_ROWS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows_count = rows
        self.credentials = {
            credential.name: credential
            for credential in Credential.objects.filter(is_active=True).order_by("name")[
                :CREDENTIALS_MAX
            ]
        }
        for at in range(rows):
            self.fields |= {f"{name}_{at}": field for name, field in self._row(at).items()}

    def _row(self, at: int) -> dict[str, forms.Field]:
        providers = [("", "–"), *((name, name) for name in sorted(PROVIDERS))]
        named = [(name, f"{name} ({each.provider})") for name, each in self.credentials.items()]
        look = {"class": "form-select"}
        return {
            "order": forms.IntegerField(
                min_value=1,
                max_value=99,
                required=False,
                initial=at + 1,
                label=f"Order of target {at + 1}",
                widget=forms.NumberInput(attrs={"class": "form-control"}),
            ),
            "provider": forms.ChoiceField(
                choices=providers,
                required=False,
                label=f"Provider of target {at + 1}",
                widget=forms.Select(attrs=look),
            ),
            "model": forms.CharField(
                max_length=MODEL_MAX,
                required=False,
                label=f"Model of target {at + 1}",
                widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
            ),
            "credential": forms.ChoiceField(
                choices=[("", "environment"), *named],
                required=False,
                label=f"Credential of target {at + 1}",
                widget=forms.Select(attrs=look),
            ),
        }

    def rows(self) -> list[Row]:
        """The bound fields of each target, for the template."""
        return [
            (
                self[f"order_{at}"],
                self[f"provider_{at}"],
                self[f"model_{at}"],
                self[f"credential_{at}"],
            )
            for at in range(self.rows_count)
        ]

    def clean(self) -> dict[str, Any]:
        known = self.cleaned_data
        found = [target for at in range(self.rows_count) if (target := self._target(at))]
        if not found and not self.errors:
            self.add_error(None, "A route needs at least one target.")
        known["targets"] = [target for _, target in sorted(found, key=lambda each: each[0])]
        return known

    def _target(self, at: int) -> tuple[int, tuple[str, str, Credential | None]] | None:
        known = self.cleaned_data
        provider, model = known.get(f"provider_{at}", ""), known.get(f"model_{at}", "")
        if not provider and not model:
            return None
        if not provider or not model:
            self.add_error(f"model_{at}", "A target needs both a provider and a model.")
            return None
        credential = self.credentials.get(known.get(f"credential_{at}", ""))
        if credential is not None and credential.provider != provider:
            text = f"{credential.name} is a credential of {credential.provider}."
            self.add_error(f"credential_{at}", text)
        order: int = known.get(f"order_{at}") or at + 1
        return order, (provider, model, credential)


class NewRoute(RouteForm):
    name = RuledField(
        RouteName(),
        max_length=256,
        label="Name",
        help_text="What callers write as the model.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "output_tokens_default")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Route.objects.filter(name=name, is_active=True).exists():
            raise forms.ValidationError("There is a route of this name: change that one.")
        return name


class Routes(Page, get="routes:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        words = request.GET.get("q", "").strip()[:WORDS_MAX]
        rows = _rows().order_by("-is_active", "name")
        if words:
            rows = rows.filter(name__icontains=words)
        page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
        targets = [(t.provider, t.model) for route in page for t in route.targets.all()]
        shown: dict[str, Any] = {
            "page": page,
            "words": words,
            "unpriced": {f"{provider}/{model}" for provider, model in without_price(targets)},
            "may_change": self.actor.may("routes:write"),
        }
        return self.render("console/routes.html", **shown)


class SetRoute(Page, get="routes:write", post="routes:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "routes:write")
        return self._form(NewRoute())

    def post(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "routes:write")
        form = NewRoute(request.POST)
        if not form.is_valid():
            return self._form(form)
        return _save(self, form.cleaned_data["name"], form)

    def _form(self, form: RouteForm) -> HttpResponse:
        action = reverse("set_route")
        return self.render("console/_route_form.html", form=form, action=action, title="New route")


class ChangeRoute(Page, get="routes:write", post="routes:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        route = _find(self, id)
        known: dict[str, Any] = {"output_tokens_default": route.output_tokens_default}
        for at, target in enumerate(route.targets.all()):
            known |= {f"provider_{at}": target.provider, f"model_{at}": target.model}
            known[f"credential_{at}"] = target.credential.name if target.credential else ""
        return self._form(route, RouteForm(initial=known, rows=_rows_of(route)))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        route = _find(self, id)
        form = RouteForm(request.POST, rows=_rows_of(route))
        if not form.is_valid():
            return self._form(route, form)
        return _save(self, route.name, form)

    def _form(self, route: Route, form: RouteForm) -> HttpResponse:
        action = reverse("change_route", args=[route.id])
        title = f"Change {route.name}"
        return self.render("console/_route_form.html", form=form, action=action, title=title)


class ArchiveRoute(Page, get="routes:write", post="routes:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        route = _find(self, id)
        return self.render(
            "console/_form_drawer.html",
            form=Form(),
            action=reverse("archive_route", args=[route.id]),
            title=f"Archive {route.name}",
            words="Calls that name it are refused from now on. It can be made again.",
            button="Archive the route",
            is_danger=True,
        )

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        route = _find(self, id)
        if route.is_active:
            administration.archive_route(self.actor.name, route)
        messages.success(request, f"The route {route.name} is archived.")
        return go(request, reverse("routes"))


def _rows() -> QuerySet[Route]:
    return Route.objects.prefetch_related("targets__credential")


def _find(page: Page, id: int) -> Route:
    access.check(page.actor, "routes:write")
    route = _rows().filter(id=id).first()
    if route is None:
        raise Http404
    return route


def _rows_of(route: Route) -> int:
    """As many rows as it has targets, and at least the usual number."""
    return max(TARGET_ROWS, len(route.targets.all()))


def _save(page: Page, name: str, form: RouteForm) -> HttpResponse:
    known = form.cleaned_data
    administration.set_route(
        page.actor.name, name, known["targets"], known["output_tokens_default"]
    )
    messages.success(page.request, f"The route {name} is set.")
    unpriced = without_price((provider, model) for provider, model, _ in known["targets"])
    for provider, model in sorted(unpriced):
        text = f"{provider}/{model} has no price: calls that reach it are refused until it has one."
        messages.warning(page.request, text)
    return go(page.request, reverse("routes"))
