"""What opens beside a table, and has an address of its own: a drawer for htmx, else a page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from .answers import is_partial
from .frame import Page


def show(page: Page, template: str, heading: str, **context: Any) -> HttpResponse:
    """`template` is a drawer's, which extends `_drawer.html`."""
    if is_partial(page.request):
        return page.render(template, **context)
    return page.render("console/drawer_page.html", drawer=template, heading=heading, **context)
