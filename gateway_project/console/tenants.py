"""Tenants: the list, one tenant with its limits, and the forms that make and change them."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django_tables2 import RequestConfig

from budgets import standings
from budgets.models import Budget, Tenant

from .. import access, administration
from ..administration.tenants import RETENTION_DAYS_MAX, ZoneChangePending
from ..clock import now_us
from .answers import go, is_partial
from .forms import DollarsField, Form, ZoneField
from .frame import Page

ROWS = 50


class TenantTable(tables.Table):
    name = tables.Column(linkify=("tenant", {"external_id": tables.A("external_id")}))
    external_id = tables.Column(verbose_name="External id")
    zone = tables.Column(verbose_name="Time zone")
    keys_active = tables.Column(
        verbose_name="Active keys", attrs={"td": {"class": "number"}, "th": {"class": "number"}}
    )
    is_active = tables.Column(verbose_name="State")

    class Meta:
        caption = "Tenants"
        order_by = "name"
        empty_text = "No tenants yet. Make one, then give it a budget and a key."

    def render_is_active(self, value: bool) -> str:
        kind, word = ("good", "active") if value else ("bad", "suspended")
        return format_html('<span class="tag tag-{}">{}</span>', kind, word)


class NewTenant(Form):
    name = forms.CharField(max_length=200)
    external_id = forms.SlugField(
        max_length=128, help_text="Your own name for it, for scripts; it never changes."
    )
    zone = ZoneField(label="Time zone", initial="UTC", help_text="Its days and months begin here.")
    daily_limit = DollarsField(label="Daily limit in dollars", required=False)
    monthly_limit = DollarsField(label="Monthly limit in dollars", required=False)

    def clean_external_id(self) -> str:
        external_id: str = self.cleaned_data["external_id"]
        if Tenant.objects.filter(external_id=external_id).exists():
            raise forms.ValidationError("There is a tenant with this external id.")
        return external_id


class ChangedTenant(Form):
    name = forms.CharField(max_length=200)
    zone = ZoneField(
        label="Time zone",
        help_text="A new zone counts from the end of the day and month that are open now.",
    )
    retention_days = forms.IntegerField(
        min_value=1,
        max_value=RETENTION_DAYS_MAX,
        label="Days that the request log is kept",
        help_text="What calls cost is kept for ever.",
    )
    is_active = forms.BooleanField(required=False, label="Active: its keys may call")


class Tenants(Page, get="tenants:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        rows = access.visible(Tenant.objects.all(), self.actor, "tenants:read", "id")
        words = request.GET.get("q", "").strip()[:100]
        if words:
            rows = rows.filter(Q(name__icontains=words) | Q(external_id__icontains=words))
        rows = rows.annotate(keys_active=Count("keys", filter=Q(keys__is_active=True)))
        table = TenantTable(rows)
        RequestConfig(request, paginate={"per_page": ROWS}).configure(table)
        may_create = self.actor.may("tenants:create")
        return self.render("console/tenants.html", table=table, words=words, may_create=may_create)


class CreateTenant(Page, get="tenants:create", post="tenants:create"):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(NewTenant())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewTenant(request.POST)
        if not form.is_valid():
            return self._form(form)
        known = form.cleaned_data
        tenant = administration.create_tenant(
            self.actor.name, known["external_id"], known["name"], known["zone"]
        )
        for period, limit in (("day", known["daily_limit"]), ("month", known["monthly_limit"])):
            if limit is not None:
                administration.set_budget(self.actor.name, tenant, period, limit)
        messages.success(request, f"Tenant {tenant.name} is made. It needs a key to call with.")
        return go(request, reverse("tenant", args=[tenant.external_id]))

    def _form(self, form: Form) -> HttpResponse:
        shown: dict[str, Any] = {"form": form, "action": reverse("create_tenant")}
        return self.render("console/_tenant_form.html", title="New tenant", **shown)


class OneTenant(Page, of=Tenant, get="tenants:read"):
    def get(self, request: HttpRequest, external_id: str) -> HttpResponse:
        tenant = _find(self, "tenants:read", external_id)
        rows = Budget.objects.filter(tenant=tenant)
        shown: dict[str, Any] = {
            "tenant": tenant,
            "standings": standings.current(rows, now_us()),
            "keys": tenant.keys.order_by("-is_active", "name")[:ROWS],
            "may_change": self.actor.may("tenants:write", tenant.id),
            "may_limit": self.actor.may("budgets:write", tenant.id),
            "may_key": self.actor.may("keys:write", tenant.id),
        }
        template = "console/_tenant_limits.html" if is_partial(request) else "console/tenant.html"
        return self.render(template, **shown)


class ChangeTenant(Page, of=Tenant, get="tenants:write", post="tenants:write"):
    def get(self, request: HttpRequest, external_id: str) -> HttpResponse:
        tenant = _find(self, "tenants:write", external_id)
        known = {name: getattr(tenant, name) for name in ChangedTenant.base_fields}
        return self._form(tenant, ChangedTenant(initial=known))

    def post(self, request: HttpRequest, external_id: str) -> HttpResponse:
        tenant = _find(self, "tenants:write", external_id)
        form = ChangedTenant(request.POST)
        if form.is_valid():
            try:
                administration.update_tenant(self.actor.name, tenant, **form.cleaned_data)
            except ZoneChangePending as error:
                form.add_error("zone", str(error))
        if not form.is_valid():
            return self._form(tenant, form)
        messages.success(request, f"Tenant {tenant.external_id} is changed.")
        return go(request, reverse("tenant", args=[tenant.external_id]))

    def _form(self, tenant: Tenant, form: Form) -> HttpResponse:
        action = reverse("change_tenant", args=[tenant.external_id])
        title = f"Change {tenant.name}"
        return self.render("console/_tenant_form.html", form=form, action=action, title=title)


def _find(page: Page, permission: str, external_id: str) -> Tenant:
    return access.find(Tenant.objects.all(), page.actor, permission, "id", external_id=external_id)
