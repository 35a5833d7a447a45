"""The playground: a conversation by an API key that stays in the browser.

The page calls the public API as any client does, so everything counts: budgets, rate and log.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from providers.routing import choose

from ..directory import Directory
from ..models import Price, Route
from .frame import Page

NAMES_MAX = 500


class Playground(Page, get="routes:read"):
    def get(self, request: HttpRequest) -> HttpResponse:
        origin = request.build_absolute_uri("/").rstrip("/")
        return self.render("console/playground.html", names=_names(), origin=origin)


def _names() -> list[str]:
    """Routes first, then priced models of providers that can be asked without a credential."""
    found = list(
        Route.objects.filter(is_active=True).order_by("name").values_list("name", flat=True)
    )
    prices = Price.objects.filter(valid_to=None).order_by("provider", "model")
    providers = prices.values_list("provider", flat=True).distinct()
    nowhere = Directory()
    asked = [name for name in providers if nowhere.upstream(name, "", None) is not None]
    rows = prices.filter(provider__in=asked).values_list("provider", "model")
    for provider, model in rows[:NAMES_MAX]:
        is_plain = choose(model, None) == (provider, model)
        found.append(model if is_plain else f"{provider}/{model}")
    return list(dict.fromkeys(found))[:NAMES_MAX]
