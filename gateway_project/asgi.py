"""The ASGI application: edge, then the doors on Channels, then Django."""

from __future__ import annotations

import asyncio
import gc
import os
from importlib import import_module
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

from django.core.asgi import get_asgi_application  # sets Django up; the imports below need it

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from .consumers import ChatCompletions, ChatStream, Models  # noqa: E402
from .edge import Edge  # noqa: E402
from .embeddings import Embeddings  # noqa: E402
from .feed import Live, NoSuchSocket  # noqa: E402
from .messages import CountTokens, Messages  # noqa: E402
from .responses import Responses  # noqa: E402

DOORS: dict[str, Any] = {
    "/v1/chat/completions": ChatCompletions.as_asgi(),
    "/v1/embeddings": Embeddings.as_asgi(),
    "/v1/messages": Messages.as_asgi(),
    "/v1/messages/count_tokens": CountTokens.as_asgi(),
    "/v1/models": Models.as_asgi(),
    "/v1/responses": Responses.as_asgi(),
    "/api/chat/stream": ChatStream.as_asgi(),
}
router: Any = URLRouter
with_session: Any = AuthMiddlewareStack
sockets: Any = with_session(
    router([path("ws/live", Live.as_asgi()), re_path(r"", NoSuchSocket.as_asgi())])
)


class Pages:
    """Django's pages and REST, loaded beside the calls under way when first asked for.

    A worker that only serves calls never has them: they are a quarter of its memory.
    """

    def __init__(self) -> None:
        self._loading: asyncio.Future[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._loading is None:
            self._loading = asyncio.get_running_loop().run_in_executor(None, _load)
        await asyncio.shield(self._loading)
        await django_application(scope, receive, send)


def _load() -> None:
    import_module(settings.ROOT_URLCONF)
    gc.freeze()  # it stays for ever


pages = Pages()


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """Doors by their exact path, which a look-up finds at a tenth of a router's cost."""
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    else:
        await DOORS.get(scope["path"], pages)(scope, receive, send)


application = Edge(serve)
