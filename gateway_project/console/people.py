"""People and tokens: who may do what. Nobody hands out, or takes over, what they have not got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from .. import access, administration
from ..administration.people import LastOwner
from ..models import AdminToken, Membership
from ..roles import EVERYTHING, OF_TENANT, OPEN_TO_MEMBERS, Actor, Role, of_role, of_scopes
from . import secret
from .answers import go
from .forms import TenantForm
from .frame import Page

PEOPLE_MAX = 1_000
TOKENS_MAX = 500
USERNAME_MAX = 150


@dataclass(slots=True)
class Person:
    """One account, with those of its roles that the reader may see."""

    user: User
    has_second_factor: bool
    roles: list[tuple[Membership, bool]] = field(default_factory=list)
    reset: Membership | None = None


class NewMember(TenantForm):
    username = forms.CharField(
        max_length=USERNAME_MAX,
        validators=[UnicodeUsernameValidator()],
        help_text="Somebody new gets an account, and a password that is shown once.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role])
    field_order = ("username", "tenant", "role")


class NewToken(TenantForm):
    name = forms.CharField(max_length=200, help_text="Which script it is for.")
    scopes = forms.MultipleChoiceField(
        choices=[(name, name) for name in sorted(EVERYTHING)],
        error_messages={"required": "Choose at least one."},
    )
    last_day = forms.DateField(
        required=False,
        label="Last day on which it works",
        help_text="It ends with this day in UTC. Empty: it does not end.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("name", "tenant", "last_day", "scopes")

    def clean(self) -> dict[str, Any]:
        known: dict[str, Any] = super().clean() or self.cleaned_data
        beyond = sorted(set(known.get("scopes", ())) - OF_TENANT - OPEN_TO_MEMBERS)
        if known.get("tenant") is not None and beyond:
            text = f"{beyond[0]} is of the whole installation, not of one tenant."
            self.add_error("scopes", text)
        return known


class People(Page, get="members:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        rows = access.visible(Membership.objects.all(), self.actor, "members:read")
        shown: dict[str, Any] = {"people": _people(self.actor, rows)}
        if self.actor.may_somewhere("tokens:read"):
            tokens = access.visible(AdminToken.objects.all(), self.actor, "tokens:read")
            shown["tokens"] = [
                (token, self.actor.may("tokens:write", token.tenant_id))
                for token in tokens.select_related("tenant").order_by("-is_active", "-id")[
                    :TOKENS_MAX
                ]
            ]
        return self.render("console/people.html", now=datetime.now(UTC), **shown)


class SetMember(Page, get="members:write", post="members:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        known = {name: request.GET.get(name, "") for name in ("username", "tenant", "role")}
        return self._form(NewMember(initial=known))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewMember(request.POST)
        form.offer(self.actor, "members:write", all_too=True)
        if not form.is_valid():
            return self._form(form)
        known, tenant = form.cleaned_data, form.cleaned_data["tenant"]
        role = Role(known["role"])
        tenant_id = tenant.id if tenant else None
        access.check(self.actor, "members:write", tenant_id)
        before = Membership.objects.filter(user__username=known["username"], tenant=tenant)
        access.check_hands_out(self.actor, of_role(role, tenant_id), instead_of=before)
        try:
            membership, password = administration.set_member(
                self.actor.name, known["username"], tenant, role
            )
        except LastOwner as error:
            form.add_error("role", str(error))
            return self._form(form)
        if password is not None:
            return _show_password(self, membership.user, password)
        where = tenant.name if tenant else "all tenants"
        messages.success(request, f"{known['username']} is {role.value} in {where}.")
        return go(request, reverse("people"))

    def _form(self, form: NewMember) -> HttpResponse:
        form.offer(self.actor, "members:write", all_too=True)
        action = reverse("set_member")
        shown: dict[str, Any] = {"form": form, "action": action, "button": "Give the role"}
        return self.render("console/_member_form.html", title="Add a member", **shown)


class UnsetMember(Page, of=Membership, get="members:write", post="members:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        return self._ask(_member(self.actor, id))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        membership = _member(self.actor, id)
        access.check_hands_out(self.actor, instead_of=[membership])
        try:
            administration.unset_member(self.actor.name, membership)
        except LastOwner as error:
            return self._ask(_member(self.actor, id), str(error))
        where = membership.tenant.name if membership.tenant else "all tenants"
        messages.success(request, f"{membership.user} is no longer {membership.role} in {where}.")
        return go(request, reverse("people"))

    def _ask(self, membership: Membership, error: str = "") -> HttpResponse:
        return self.render("console/_unset_member.html", membership=membership, error=error)


class ResetPassword(Page, of=Membership, get="members:write", post="members:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        membership = _member(self.actor, id)
        _check_may_take_over(self.actor, membership.user)
        return self.render("console/_reset_password.html", membership=membership)

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        user = _member(self.actor, id).user
        _check_may_take_over(self.actor, user)
        return _show_password(self, user, administration.set_password(self.actor.name, user))


class CreateToken(Page, get="tokens:write", post="tokens:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(NewToken(initial={"tenant": request.GET.get("tenant", "")}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewToken(request.POST)
        form.offer(self.actor, "tokens:write", all_too=True)
        if not form.is_valid():
            return self._form(form)
        known, tenant = form.cleaned_data, form.cleaned_data["tenant"]
        if not self.actor.covers(of_scopes(known["scopes"], tenant.id if tenant else None)):
            form.add_error("scopes", "You cannot give what you have not got yourself.")
            return self._form(form)
        last_day = known["last_day"]
        ends = datetime.combine(last_day, time.min, UTC) + timedelta(days=1) if last_day else None
        token, text = administration.create_token(
            self.actor.name, known["name"], tenant, known["scopes"], ends
        )
        shown: dict[str, Any] = {"token": token, "text": text, "back": reverse("people")}
        return secret.show(self, "console/_new_token.html", **shown)

    def _form(self, form: NewToken) -> HttpResponse:
        form.offer(self.actor, "tokens:write", all_too=True)
        chosen = set(form["scopes"].value() or ())
        things: dict[str, list[tuple[str, bool]]] = {}
        for name in sorted(EVERYTHING):
            if self.actor.may_somewhere(name):
                things.setdefault(name.partition(":")[0], []).append((name, name in chosen))
        return self.render("console/_token_form.html", form=form, things=things)


class RevokeToken(Page, of=AdminToken, get="tokens:write", post="tokens:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        return self.render("console/_revoke_token.html", token=self._find(id))

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        token = self._find(id)
        if token.is_active:
            administration.revoke_token(self.actor.name, token)
        messages.success(request, f"The token {token.prefix}… is revoked.")
        return go(request, reverse("people"))

    def _find(self, id: int) -> AdminToken:
        rows = access.visible(AdminToken.objects.all(), self.actor, "tokens:read")
        return access.find(rows.select_related("tenant"), self.actor, "tokens:write", id=id)


def _people(actor: Actor, rows: QuerySet[Membership]) -> list[Person]:
    """Accounts by name, each with the visible roles and what may be done: three queries."""
    found: dict[int, Person] = {}
    members = rows.select_related("user", "tenant").order_by("user__username", "tenant__name")
    safe = set(
        Authenticator.objects.filter(type=Authenticator.Type.TOTP).values_list("user_id", flat=True)
    )
    for membership in members[:PEOPLE_MAX]:
        user = membership.user
        person = found.setdefault(user.pk, Person(user, user.pk in safe))
        person.roles.append((membership, actor.may("members:write", membership.tenant_id)))
    everything: dict[int, list[Membership]] = {}
    for membership in Membership.objects.filter(user_id__in=found):
        everything.setdefault(membership.user_id, []).append(membership)
    for user_id, person in found.items():
        if _may_take_over(actor, everything.get(user_id, ())):
            person.reset = person.roles[0][0]
    return list(found.values())


def _member(actor: Actor, id: int) -> Membership:
    """Roles in all tenants do not exist for those who have a say in some of them only."""
    rows = access.visible(Membership.objects.all(), actor, "members:read")
    return access.find(rows.select_related("user", "tenant"), actor, "members:write", id=id)


def _may_take_over(actor: Actor, memberships: Iterable[Membership]) -> bool:
    """A password opens all that the account may: so it needs a say over every part of that."""
    return all(
        actor.may("members:write", row.tenant_id) and actor.covers(of_role(row.role, row.tenant_id))
        for row in memberships
    )


def _check_may_take_over(actor: Actor, user: User) -> None:
    if not _may_take_over(actor, Membership.objects.filter(user=user)):
        raise PermissionDenied(
            "This person has roles beyond yours, so only somebody with more can reset the password."
        )


def _show_password(page: Page, user: User, password: str) -> HttpResponse:
    shown: dict[str, Any] = {"user": user, "text": password, "back": reverse("people")}
    return secret.show(page, "console/_new_password.html", **shown)
