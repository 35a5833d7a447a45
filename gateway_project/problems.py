"""Django's own errors: JSON for programs, a page for people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from .console import frame
from .errors import Refusal, unexpected

PROGRAMS = ("/api/", "/v1/", "/healthz", "/readyz", "/ws/")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    text = "There is nothing at this path."
    return _answer(request, Refusal(404, "invalid_request_error", "not_found", text))


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    text = str(exception or "You may not do this.")
    return _answer(request, Refusal(403, "permission_error", "forbidden", text))


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    text = "The request is not valid."
    return _answer(request, Refusal(400, "invalid_request_error", "bad_request", text))


def failed(request: HttpRequest) -> HttpResponse:
    return _answer(request, unexpected())


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    is_of_person = getattr(getattr(request, "user", None), "is_authenticated", False)
    if is_of_person and not request.path.startswith(PROGRAMS):
        return frame.problem(request, refusal.status, refusal.message)
    return JsonResponse(refusal.body(), status=refusal.status)
