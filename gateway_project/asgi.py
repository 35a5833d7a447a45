"""The ASGI application: edge, then the doors on Channels, then Django."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

from django.core.asgi import get_asgi_application  # sets Django up; the imports below need it

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from .consumers import ChatCompletions, ChatStream, Models  # noqa: E402
from .edge import Edge  # noqa: E402
from .feed import Live, NoSuchSocket  # noqa: E402

DOORS: dict[str, Any] = {
    "v1/chat/completions": ChatCompletions,
    "v1/models": Models,
    "api/chat/stream": ChatStream,
}
everything_else: Any = django_application
router: Any = URLRouter
pages: Any = AuthMiddlewareStack
kinds: Any = ProtocolTypeRouter
application = Edge(
    kinds(
        {
            "http": router(
                [
                    *(path(where, door.as_asgi()) for where, door in DOORS.items()),
                    re_path(r"", everything_else),
                ]
            ),
            "websocket": pages(
                router([path("ws/live", Live.as_asgi()), re_path(r"", NoSuchSocket.as_asgi())])
            ),
        }
    )
)
