"""The ASGI application: edge, then the doors on Channels, then Django."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

from django.core.asgi import get_asgi_application  # sets Django up; the imports below need it

django_application = get_asgi_application()

from channels.routing import URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from .consumers import ChatCompletions, ChatStream, Models  # noqa: E402
from .edge import Edge  # noqa: E402

application = Edge(
    URLRouter(
        [
            path("v1/chat/completions", ChatCompletions.as_asgi()),
            path("v1/models", Models.as_asgi()),
            path("api/chat/stream", ChatStream.as_asgi()),
            re_path(r"", django_application),
        ]
    )
)
