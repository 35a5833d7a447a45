"""API keys: the list, and the drawers that make, change, rotate and revoke them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_tables2 import RequestConfig

from budgets.models import ApiKey, Tenant

from .. import access, administration
from ..clock import now_us
from ..models import LoggedCall, Route
from . import figures, secret
from .answers import go
from .forms import DollarsField, Form, PatternsField, TenantForm
from .frame import Page

ROWS = 50
TENANTS_MAX = 1_000
REQUESTS_MAX = 1_000_000
WORDS_MAX = 100
ONE_DAY = timedelta(days=1)
NUMBER = {"td": {"class": "number"}, "th": {"class": "number"}}
OVERLAPS = {"0": "Now", "3600": "In 1 hour", "86400": "In 1 day", "604800": "In 7 days"}
NOWRAP = {"td": {"class": "nowrap"}}
STATES = {
    "active": Q(is_active=True),
    "revoked": Q(is_active=False),
}


class KeyTable(tables.Table):
    name = tables.TemplateColumn("{{ value }}<br><code>{{ record.prefix }}…</code>")
    tenant = tables.Column(
        accessor="tenant__name",
        linkify=("tenant", {"external_id": tables.A("tenant__external_id")}),
        verbose_name="Tenant",
    )
    allowed_models = tables.TemplateColumn(
        '{{ value|join:", "|default:"all"|truncatechars:60 }}',
        verbose_name="Models",
        orderable=False,
        empty_values=(),
    )
    requests_per_minute = tables.Column(verbose_name="Req/min", attrs=NUMBER, default="no limit")
    today = tables.TemplateColumn(
        "{% load figures %}{{ record.today_nanos|dollars }}",
        verbose_name="Today (UTC)",
        orderable=False,
        attrs={"td": {"class": "money"}, "th": {"class": "money"}},
    )
    last_use = tables.TemplateColumn(
        "{% load figures %}{{ record.last_use_us|moment }}",
        verbose_name="Last use (UTC)",
        orderable=False,
    )
    expires_at = tables.DateTimeColumn(
        verbose_name="Expires", format="Y-m-d", default="never", attrs=NOWRAP
    )
    is_active = tables.TemplateColumn(
        '{% include "console/_key_state.html" with key=record %}', verbose_name="State"
    )
    actions = tables.TemplateColumn(
        '{% include "console/_key_actions.html" with key=record %}',
        verbose_name="",
        orderable=False,
    )

    class Meta:
        caption = "API keys"
        order_by = "-is_active"
        empty_text = "No keys here. Without a key nobody can call."


class NewKey(TenantForm):
    name = forms.CharField(max_length=200, help_text="Who or what calls with it.")
    allowed_models = PatternsField(
        label="Models",
        help_text="Names or patterns such as sim-*, one a line. Empty allows every model.",
    )
    requests_per_minute = forms.IntegerField(
        min_value=1,
        max_value=REQUESTS_MAX,
        required=False,
        initial=60,
        label="Requests per minute",
        help_text="Empty for no limit.",
    )
    last_day = forms.DateField(
        required=False,
        label="Last day on which it works",
        help_text="It ends with this day in UTC. Empty: it does not end.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    daily_limit = DollarsField(label="Daily limit in dollars", required=False)
    monthly_limit = DollarsField(label="Monthly limit in dollars", required=False)


class ChangedKey(Form):
    name = forms.CharField(max_length=200)
    allowed_models = NewKey.base_fields["allowed_models"]
    requests_per_minute = NewKey.base_fields["requests_per_minute"]
    last_day = NewKey.base_fields["last_day"]


class Rotation(Form):
    overlap = forms.ChoiceField(choices=list(OVERLAPS.items()), label="The text before ends")


class Revocation(Form):
    name = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, key: ApiKey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        self.fields["name"].label = f"To be sure, type the key's name: {key.name}"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.strip() != self.key.name.strip():
            raise forms.ValidationError("That is not the name of this key.")
        return name


class Keys(Page, get="keys:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        tenants = access.visible(Tenant.objects.order_by("name"), self.actor, "keys:read", "id")
        asked = {name: request.GET.get(name, "").strip() for name in ("tenant", "state", "q")}
        rows = access.visible(_rows(), self.actor, "keys:read")
        table = KeyTable(_narrowed(rows, **asked))
        RequestConfig(request, paginate={"per_page": ROWS}).configure(table)
        keys = [row.record for row in table.paginated_rows]
        _add_figures(keys)
        writable = self.actor.tenants("keys:write")
        for key in keys:
            key.may_change = writable is None or key.tenant_id in writable
        shown: dict[str, Any] = {"tenants": tenants[:TENANTS_MAX], "states": STATES, "asked": asked}
        return self.render("console/keys.html", table=table, **shown)


class CreateKey(Page, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(NewKey(initial={"tenant": request.GET.get("tenant", "")}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewKey(request.POST)
        form.offer(self.actor, "keys:write")
        if not form.is_valid():
            return self._form(form)
        known = form.cleaned_data
        limits = {"day": known.pop("daily_limit"), "month": known.pop("monthly_limit")}
        if any(limit is not None for limit in limits.values()):
            access.check(self.actor, "budgets:write", known["tenant"].id)
        key, text = administration.create_key(
            self.actor.name,
            known["tenant"],
            known["name"],
            allowed_models=known["allowed_models"],
            requests_per_minute=known["requests_per_minute"],
            expires_at=_end_of(known["last_day"]),
        )
        for period, limit in limits.items():
            if limit is not None:
                administration.set_budget(self.actor.name, key.tenant, period, limit, key=key)
        return _show(self, key, text, "A new key")

    def _form(self, form: NewKey) -> HttpResponse:
        form.offer(self.actor, "keys:write")
        if not self.actor.may_somewhere("budgets:write"):
            del form.fields["daily_limit"], form.fields["monthly_limit"]
        return _drawer(self, form, reverse("create_key"), "New key", "Make the key")


class ChangeKey(Page, of=ApiKey, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        key = _find(self, id)
        known = {
            "name": key.name,
            "allowed_models": key.allowed_models,
            "requests_per_minute": key.requests_per_minute,
            "last_day": _last_day(key),
        }
        return self._form(key, ChangedKey(initial=known))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        key = _find(self, id)
        form = ChangedKey(request.POST)
        if form.is_valid():
            known = form.cleaned_data
            last_day = known.pop("last_day")
            is_same = last_day == _last_day(key)
            known["expires_at"] = key.expires_at if is_same else _end_of(last_day)
            try:
                administration.update_key(self.actor.name, key, known)
            except administration.keys.Revoked as error:
                form.add_error(None, str(error))
        if not form.is_valid():
            return self._form(key, form)
        messages.success(request, f"The key {key.prefix}… is changed.")
        return go(request, reverse("keys"))

    def _form(self, key: ApiKey, form: Form) -> HttpResponse:
        action = reverse("change_key", args=[key.id])
        return _drawer(self, form, action, f"Change {key.name}", "Save")


class RotateKey(Page, of=ApiKey, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        return self._form(_find(self, id), Rotation(initial={"overlap": "86400"}))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        key = _find(self, id)
        form = Rotation(request.POST)
        if not form.is_valid():
            return self._form(key, form)
        overlap = timedelta(seconds=int(form.cleaned_data["overlap"]))
        try:
            key, text = administration.rotate_key(self.actor.name, key, overlap, datetime.now(UTC))
        except administration.keys.Revoked as error:
            form.add_error(None, str(error))
            return self._form(key, form)
        return _show(self, key, text, f"The new text of {key.name}")

    def _form(self, key: ApiKey, form: Form) -> HttpResponse:
        action = reverse("rotate_key", args=[key.id])
        words = "The key gets a new text; its name, limits and history stay."
        return _drawer(self, form, action, f"Rotate {key.name}", "Make a new text", words)


class RevokeKey(Page, of=ApiKey, get="keys:write", post="keys:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        key = _find(self, id)
        return self._form(key, Revocation(key))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        key = _find(self, id)
        form = Revocation(key, request.POST)
        if not form.is_valid():
            return self._form(key, form)
        if key.is_active:
            administration.revoke_key(self.actor.name, key)
        messages.success(request, f"The key {key.prefix}… is revoked.")
        return go(request, reverse("keys"))

    def _form(self, key: ApiKey, form: Form) -> HttpResponse:
        action = reverse("revoke_key", args=[key.id])
        words = "Calls with it are refused a second from now, and it cannot be taken back."
        return _drawer(
            self, form, action, f"Revoke {key.name}", "Revoke the key", words, is_danger=True
        )


def _rows() -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("tenant")


def _find(page: Page, id: int) -> ApiKey:
    return access.find(_rows(), page.actor, "keys:write", id=id)


def _narrowed(rows: QuerySet[ApiKey], *, tenant: str, state: str, q: str) -> QuerySet[ApiKey]:
    if tenant:
        rows = rows.filter(tenant__external_id=tenant)
    if q:
        words = q[:WORDS_MAX].rstrip("…")
        rows = rows.filter(Q(name__icontains=words) | Q(prefix__startswith=words))
    return rows.filter(STATES.get(state, Q()))


def _add_figures(keys: list[Any]) -> None:
    """What these keys have spent in this UTC day and when they were last used: three queries."""
    ids = [key.id for key in keys]
    tenants = {key.tenant_id for key in keys}
    spent = figures.spend(["key"], figures.today(now_us()), tenants=tenants)
    used = LoggedCall.objects.filter(tenant_id__in=tenants, key_id__in=ids).values_list("key_id")
    newest = dict(used.annotate(newest=Max("opened_us")))
    for key in keys:
        key.today_nanos = spent.get((key.id,), figures.Sum()).cost_nanos
        key.last_use_us = newest.get(key.id)
        key.is_expired = key.expires_at is not None and key.expires_at <= datetime.now(UTC)


def _end_of(last_day: date | None) -> datetime | None:
    return None if last_day is None else datetime.combine(last_day, time.min, UTC) + ONE_DAY


def _last_day(key: ApiKey) -> date | None:
    if key.expires_at is None:
        return None
    return (key.expires_at.astimezone(UTC) - timedelta(microseconds=1)).date()


def _show(page: Page, key: ApiKey, text: str, title: str) -> HttpResponse:
    """The only answer that holds the key's text."""
    known = next((name for name in key.allowed_models if not set(name) & set("*?[")), None)
    known = known or Route.objects.filter(is_active=True).values_list("name", flat=True).first()
    return secret.show(
        page,
        "console/_new_key.html",
        title=title,
        text=text,
        key=key,
        model=known or "MODEL",
        back=reverse("keys"),
        origin=page.request.build_absolute_uri("/").rstrip("/"),
    )


def _drawer(
    page: Page,
    form: Form,
    action: str,
    title: str,
    button: str,
    words: str = "",
    *,
    is_danger: bool = False,
) -> HttpResponse:
    return page.render(
        "console/_form_drawer.html",
        form=form,
        action=action,
        title=title,
        button=button,
        words=words,
        is_danger=is_danger,
    )
