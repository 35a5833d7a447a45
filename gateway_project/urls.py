"""Every URL of Django's on one screen; `/v1/*`, the streams and the socket are in `asgi.py`."""

from __future__ import annotations

from django.urls import include, path

from . import chat, health

urlpatterns = [
    path("api/chat", chat.ChatView.as_view()),
    path("api/", include("gateway_project.control.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include("gateway_project.console.urls")),
]
handler400 = "gateway_project.problems.bad_request"
handler403 = "gateway_project.problems.forbidden"
handler404 = "gateway_project.problems.not_found"
handler500 = "gateway_project.problems.failed"
