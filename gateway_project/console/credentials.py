"""Credentials: providers' addresses and keys. A key goes in, is tested, and is never shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework import serializers

from providers.catalog import PROVIDERS

from .. import access, administration, probe
from ..administration.routing import InUse, SecretNeeded
from ..control.credentials import ADDRESS_MAX, NAME, SECRET_MAX, Address
from ..models import Credential, Route
from .answers import go, is_partial
from .forms import Form
from .frame import Page
from .rules import RuledField

ROWS_MAX = 1_000


class ChangedCredential(Form):
    provider = forms.ChoiceField(choices=[(name, name) for name in sorted(PROVIDERS)])
    base_url = RuledField(
        Address(max_length=ADDRESS_MAX, allow_blank=True),
        required=False,
        max_length=ADDRESS_MAX,
        label="Address",
        help_text="Where calls go; empty for the provider's usual address.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    secret = forms.CharField(
        required=False,
        max_length=SECRET_MAX,
        label="Key",
        help_text="It is sealed and never shown again. Empty keeps the key that there is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    is_open = forms.BooleanField(required=False, label="The address needs no key")

    @property
    def wanted_secret(self) -> str | None:
        """None keeps what there is, "" wipes it."""
        return "" if self.cleaned_data["is_open"] else self.cleaned_data["secret"] or None


class NewCredential(ChangedCredential):
    name = RuledField(
        serializers.RegexField(NAME),
        max_length=100,
        label="Name",
        help_text="Letters, digits, dots and dashes; routes refer to it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].help_text = "It is sealed and never shown again."

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Credential.objects.filter(name=name, is_active=True).exists():
            raise forms.ValidationError("There is a credential of this name: change that one.")
        return name


class Credentials(Page, get="credentials:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "credentials:read")
        rows: list[Any] = list(_active().order_by("name")[:ROWS_MAX])
        used = _routes_by_credential()
        for row in rows:
            row.routes = used.get(row.id, [])
        may_change = self.actor.may("credentials:write")
        return self.render("console/credentials.html", rows=rows, may_change=may_change)


class SetCredential(Page, get="credentials:write", post="credentials:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "credentials:write")
        return self._form(NewCredential())

    def post(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "credentials:write")
        form = NewCredential(request.POST)
        if form.is_valid() and _save(self, form.cleaned_data["name"], form):
            return go(request, reverse("credentials"))
        return self._form(form)

    def _form(self, form: ChangedCredential) -> HttpResponse:
        return _drawer(self, form, reverse("set_credential"), "New credential")


class ChangeCredential(Page, get="credentials:write", post="credentials:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        credential = _find(self, id)
        known = {"provider": credential.provider, "base_url": credential.base_url}
        return self._form(credential, ChangedCredential(initial=known))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        credential = _find(self, id)
        form = ChangedCredential(request.POST)
        if form.is_valid() and _save(self, credential.name, form):
            return go(request, reverse("credentials"))
        return self._form(credential, form)

    def _form(self, credential: Credential, form: ChangedCredential) -> HttpResponse:
        action = reverse("change_credential", args=[credential.id])
        return _drawer(self, form, action, f"Change {credential.name}")


class ArchiveCredential(Page, get="credentials:write", post="credentials:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        return self._form(_find(self, id), Form())

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        credential = _find(self, id)
        form = Form(request.POST)
        try:
            administration.archive_credential(self.actor.name, credential)
        except InUse as error:
            form.add_error(None, str(error))
            return self._form(credential, form)
        messages.success(request, f"The credential {credential.name} is archived.")
        return go(request, reverse("credentials"))

    def _form(self, credential: Credential, form: Form) -> HttpResponse:
        action = reverse("archive_credential", args=[credential.id])
        return self.render(
            "console/_form_drawer.html",
            form=form,
            action=action,
            title=f"Archive {credential.name}",
            words="Its key is wiped at once and cannot be brought back.",
            button="Archive the credential",
            is_danger=True,
        )


class TestCredential(Page, post="credentials:write"):
    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        credential = _find(self, id)
        result = probe.test(credential)
        if is_partial(request):
            return self.render("console/_probe.html", result=result)
        level = messages.SUCCESS if result.ok else messages.ERROR
        messages.add_message(request, level, f"{credential.name}: {result.message}")
        return go(request, reverse("credentials"))


def _active() -> QuerySet[Credential]:
    return Credential.objects.filter(is_active=True)


def _find(page: Page, id: int) -> Credential:
    access.check(page.actor, "credentials:write")
    credential = _active().filter(id=id).first()
    if credential is None:
        raise Http404
    return credential


def _routes_by_credential() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    routes = Route.objects.filter(is_active=True, targets__credential__is_active=True)
    names = routes.order_by("name").values_list("targets__credential_id", "name").distinct()
    for credential, name in names:
        found.setdefault(credential, []).append(name)
    return found


def _save(page: Page, name: str, form: ChangedCredential) -> bool:
    """Whether it is saved; otherwise the form has the reason."""
    known = form.cleaned_data
    try:
        administration.set_credential(
            page.actor.name,
            name,
            known["provider"],
            base_url=known["base_url"],
            secret=form.wanted_secret,
        )
    except SecretNeeded as error:
        form.add_error("secret", str(error))
        return False
    messages.success(page.request, f"The credential {name} is set. Test it before a call needs it.")
    return True


def _drawer(page: Page, form: Form, action: str, title: str) -> HttpResponse:
    template = "console/_form_drawer.html"
    return page.render(template, form=form, action=action, title=title, button="Save")
