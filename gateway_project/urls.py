"""Every URL of Django's on one screen; `/v1/*` and the streams are in `asgi.py`."""

from __future__ import annotations

from django.urls import path

from . import chat, health

urlpatterns = [
    path("api/chat", chat.ChatView.as_view()),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
handler400 = "gateway_project.health.bad_request"
handler404 = "gateway_project.health.not_found"
handler500 = "gateway_project.health.failed"
