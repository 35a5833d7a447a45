"""Models and prices: the dated table as it is in force, its history, and the admins' overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from providers.catalog import PROVIDERS

from .. import access, administration
from ..administration.prices import ADMIN
from ..control.prices import RATE, TIERS_MAX, TOKENS_MAX
from ..control.shapes import MODEL_MAX
from ..models import Price
from ..price_list import RATE_NAMES
from . import drawers
from .answers import go
from .forms import Form
from .frame import Page

ROWS = 50
HISTORY_MAX = 50
WORDS_MAX = 100
TIER_HINT = 'Dollars: "2.50", or with tiers by input tokens: "3; 200000: 6".'


class RateField(forms.CharField):
    """A rate as people write it; cleans to the table's own shape, None where it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=300, **kwargs)
        self.widget.attrs.update({"autocomplete": "off", "inputmode": "decimal"})

    def clean(self, value: Any) -> Any:
        base, *tiers = [part.strip() for part in super().clean(value).split(";")]
        if not base and not tiers:
            return None
        if len(tiers) > TIERS_MAX:
            raise forms.ValidationError(f"There are at most {TIERS_MAX} tiers.")
        rate = self._amount(base)
        return {"base": rate, "tiers": [self._tier(tier) for tier in tiers]} if tiers else rate

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return "; ".join([value["base"], *(f"{start}: {rate}" for start, rate in value["tiers"])])

    def _tier(self, text: str) -> list[Any]:
        start, _, rate = text.partition(":")
        number = start.strip().replace(",", "")
        if not (number.isascii() and number.isdigit()) or not 1 <= int(number) <= TOKENS_MAX:
            raise forms.ValidationError(f'"{text}" is no tier; it reads 200000: 6.')
        return [int(number), self._amount(rate.strip())]

    def _amount(self, text: str) -> str:
        if re.fullmatch(RATE, text.removeprefix("$")) is None:
            raise forms.ValidationError(f'"{text}" is not an amount of dollars such as 2.50.')
        return text.removeprefix("$")


class Override(Form):
    """Every rate of one model; an empty one is not published."""

    context_window = forms.IntegerField(
        min_value=1, max_value=TOKENS_MAX, required=False, label="Context in tokens"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in RATE_NAMES.items():
            look = {"class": "form-control"}
            field = RateField(label=label, widget=forms.TextInput(attrs=look))
            self.fields[name] = field
        self.fields["input_mtok"].help_text = TIER_HINT

    @property
    def rates(self) -> dict[str, Any]:
        known = self.cleaned_data
        return {name: known[name] for name in RATE_NAMES if known.get(name) is not None}

    def clean(self) -> dict[str, Any]:
        if not self.errors and not {"input_mtok", "request"} & self.rates.keys():
            self.add_error("input_mtok", "A price needs a rate for input or for each request.")
        return self.cleaned_data


class NewPrice(Override):
    provider = forms.ChoiceField(choices=[(name, name) for name in sorted(PROVIDERS)])
    model = forms.CharField(max_length=MODEL_MAX, widget=forms.TextInput({"autocomplete": "off"}))
    field_order = ("provider", "model", "context_window")


class Prices(Page, get="prices:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {name: request.GET.get(name, "").strip() for name in ("provider", "q")}
        in_force = Price.objects.filter(valid_to=None)
        rows = in_force.order_by("provider", "model")
        if asked["provider"]:
            rows = rows.filter(provider=asked["provider"])
        if asked["q"]:
            rows = rows.filter(model__icontains=asked["q"][:WORDS_MAX])
        page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
        names = in_force.order_by("provider").values_list("provider", flat=True).distinct()
        shown: dict[str, Any] = {"page": page, "asked": asked, "providers": names, "admin": ADMIN}
        may_change = self.actor.may("prices:write")
        return self.render("console/prices.html", may_change=may_change, **shown)


class OnePrice(Page, get="prices:read"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        price = _find(id)
        history = Price.objects.filter(provider=price.provider, model=price.model)
        shown: dict[str, Any] = {
            "price": price,
            "rates": [(name, rate) for name, rate in price.rates.items() if name != "variants"],
            "variants": price.rates.get("variants", []),
            "history": history.order_by("-valid_from", "-id")[:HISTORY_MAX],
            "is_override": _is_override(price),
            "may_change": self.actor.may("prices:write") and price.valid_to is None,
            "admin": ADMIN,
        }
        return drawers.show(self, "console/_price.html", str(price), **shown)


class SetPrice(Page, get="prices:write", post="prices:write"):
    def get(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "prices:write")
        return self._form(NewPrice())

    def post(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "prices:write")
        form = NewPrice(request.POST)
        if form.is_valid():
            known = form.cleaned_data
            if _save(self, form, known["provider"], known["model"]):
                return go(request, reverse("prices"))
        return self._form(form)

    def _form(self, form: Override) -> HttpResponse:
        return _drawer(self, form, reverse("set_price"), "A model with its price")


class OverridePrice(Page, get="prices:write", post="prices:write"):
    def get(self, request: HttpRequest, id: int) -> HttpResponse:
        access.check(self.actor, "prices:write")
        price = _find(id)
        known = {name: rate for name, rate in price.rates.items() if name in RATE_NAMES}
        form = Override(initial={**known, "context_window": price.context_window})
        return self._form(price, form)

    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        access.check(self.actor, "prices:write")
        price = _find(id)
        form = Override(request.POST)
        if form.is_valid() and _save(self, form, price.provider, price.model):
            return go(request, reverse("prices"))
        return self._form(price, form)

    def _form(self, price: Price, form: Override) -> HttpResponse:
        action = reverse("override_price", args=[price.id])
        return _drawer(self, form, action, f"Override {price}")


class RestorePrice(Page, post="prices:write"):
    def post(self, request: HttpRequest, id: int) -> HttpResponse:
        access.check(self.actor, "prices:write")
        price = _find(id)
        if not _is_override(price):
            messages.error(request, f"{price} has no override that is in force.")
            return go(request, reverse("prices"))
        restored = administration.restore_price(self.actor.name, price)
        told = "the installed list's price holds again" if restored else "it has no price now"
        messages.success(request, f"The override of {price} has ended: {told}.")
        return go(request, reverse("prices"))


class SyncPrices(Page, post="prices:write"):
    def post(self, request: HttpRequest) -> HttpResponse:
        access.check(self.actor, "prices:write")
        added, closed = administration.sync_prices(self.actor.name)
        told = f"{added} prices added, {closed} closed" if added else "nothing was new"
        messages.success(request, f"The installed list is taken over: {told}. Overrides stay.")
        return go(request, reverse("prices"))


def _find(id: int) -> Price:
    price = Price.objects.filter(id=id).first()
    if price is None:
        raise Http404
    return price


def _is_override(price: Price) -> bool:
    return price.valid_to is None and price.source == ADMIN


def _save(page: Page, form: Override, provider: str, model: str) -> bool:
    """Whether it is saved; otherwise the form has the reason."""
    window = form.cleaned_data["context_window"]
    try:
        administration.override_price(page.actor.name, provider, model, form.rates, window)
    except ValueError as error:
        form.add_error(None, str(error))
        return False
    messages.success(page.request, f"From now on {provider}/{model} costs what you have set.")
    return True


def _drawer(page: Page, form: Form, action: str, title: str) -> HttpResponse:
    words = "It holds from now on; what was charged before stays as it was."
    shown: dict[str, Any] = {
        "form": form,
        "action": action,
        "title": title,
        "words": words,
        "button": "Save",
    }
    return page.render("console/_form_drawer.html", **shown)
