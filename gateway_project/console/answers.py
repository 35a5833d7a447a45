"""How pages lead on: a redirect for a form, and the same for one that htmx has sent."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect


def is_partial(request: HttpRequest) -> bool:
    """Does htmx ask for a part of a page?"""
    return bool(getattr(request, "htmx", False))


def go(request: HttpRequest, url: str) -> HttpResponse:
    """After a change: load this page, whoever sent the form."""
    if is_partial(request):
        return HttpResponseClientRedirect(url)
    return redirect(url)
