"""Budgets: how every limit stands now, and the drawers that set and archive them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from budgets import standings
from budgets.models import ApiKey, Budget, Tenant
from budgets.standings import Standing

from .. import access, administration
from ..clock import now_us
from .answers import go, is_partial
from .forms import DollarsField, TenantForm
from .frame import Page

HIGH_PERCENT = 80
SHOWN_MAX = 500
TENANTS_MAX = 1_000
SCOPES = [
    ("tenant", "The whole tenant"),
    ("each", "Each key of the tenant"),
    ("key", "One key"),
]
PERIODS = [("day", "Day"), ("month", "Month")]


class NewLimit(TenantForm):
    scope = forms.ChoiceField(choices=SCOPES, label="What is limited")
    key = forms.CharField(
        required=False,
        max_length=16,
        label="Key",
        help_text="Only for one key: how it begins, as the list of keys shows it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "tg_…"}),
    )
    period = forms.ChoiceField(choices=PERIODS, label="Per", help_text="In the tenant's time zone.")
    dollars = DollarsField(
        label="Limit in dollars",
        help_text="It holds at once, for what is spent in the day or month that is open now.",
    )

    def clean(self) -> dict[str, Any]:
        known: dict[str, Any] = super().clean() or self.cleaned_data
        known["api_key"] = None
        if known.get("scope") == "key" and known.get("tenant") is not None:
            rows = ApiKey.objects.filter(tenant=known["tenant"], is_active=True)
            known["api_key"] = rows.filter(prefix=known.get("key", "").strip().rstrip("…")).first()
            if known["api_key"] is None:
                self.add_error("key", "This tenant has no active key that begins so.")
        return known


class Budgets(Page, get="budgets:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {name: request.GET.get(name, "").strip() for name in ("tenant", "over")}
        rows = access.visible(Budget.objects.all(), self.actor, "budgets:read")
        if asked["tenant"]:
            rows = rows.filter(tenant__external_id=asked["tenant"])
        found = _ordered(standings.current(rows, now_us()))
        if asked["over"]:
            found = [standing for standing in found if standing.percent >= HIGH_PERCENT]
        shown: dict[str, Any] = {
            "standings": found[:SHOWN_MAX],
            "more": max(0, len(found) - SHOWN_MAX),
            "asked": asked,
            "writable": self.actor.tenants("budgets:write"),
            "may_write_all": self.actor.tenants("budgets:write") is None,
        }
        if is_partial(request):
            return self.render("console/_standings.html", **shown)
        shown["tenants"] = access.visible(
            Tenant.objects.order_by("name"), self.actor, "budgets:read", "id"
        )[:TENANTS_MAX]
        return self.render("console/budgets.html", **shown)


class SetBudget(Page, get="budgets:write", post="budgets:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        known = {name: request.GET.get(name, "") for name in ("tenant", "scope", "key", "period")}
        return self._form(NewLimit(initial=known))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewLimit(request.POST)
        form.offer(self.actor, "budgets:write")
        if not form.is_valid():
            return self._form(form)
        known = form.cleaned_data
        administration.set_budget(
            self.actor.name,
            known["tenant"],
            known["period"],
            known["dollars"],
            key=known["api_key"],
            each_key=known["scope"] == "each",
        )
        messages.success(request, f"The limit of {known['tenant'].name} is set.")
        return go(request, f"{reverse('budgets')}?tenant={known['tenant'].external_id}")

    def _form(self, form: NewLimit) -> HttpResponse:
        form.offer(self.actor, "budgets:write")
        shown = {"action": reverse("set_budget"), "title": "Set a limit", "button": "Set the limit"}
        return self.render("console/_form_drawer.html", form=form, **shown)  # type: ignore[arg-type]


class ArchiveBudget(Page, of=Budget, get="budgets:write", post="budgets:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        budget = _find(self, id)
        return self.render("console/_archive_budget.html", budget=budget)

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        budget = _find(self, id)
        if budget.is_active:
            administration.archive_budget(self.actor.name, budget)
        messages.success(request, f"The limit of {budget.tenant.name} holds no more.")
        return go(request, f"{reverse('budgets')}?tenant={budget.tenant.external_id}")


def _find(page: Page, id: int) -> Budget:
    rows: QuerySet[Budget] = Budget.objects.select_related("tenant", "api_key")
    return access.find(rows, page.actor, "budgets:write", id=id)


def _ordered(found: Sequence[Standing]) -> list[Standing]:
    """By tenant; within one the tenant's own limits first, then the fullest."""
    return sorted(
        found,
        key=lambda each: (
            each.budget.tenant.name.lower(),
            each.budget.tenant_id,
            each.budget.scope != Budget.Scope.TENANT,
            each.budget.period,
            -each.percent,
        ),
    )
