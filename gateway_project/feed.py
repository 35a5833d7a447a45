"""`/ws/live`: a doorbell for pages. It says that figures changed, and never which or to what.

The pages then ask for what they show, through the same guards as ever, so the socket can leak
nothing. One look a second serves all sockets of a process; nothing passes between processes, so
SQLite, PostgreSQL and any number of gateways behave the same.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db.models import Max, Sum

from audit.models import Head
from budgets.models import Hold

from . import access
from .models import Directory, LoggedCall

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SOCKETS_MAX = 500
POLICY, TRY_LATER = 1008, 1013
Mark = tuple[Any, ...]


def look() -> Mark:
    """Something that differs whenever a posting, a hold, a log line or an admin's change came."""
    return (
        Head.objects.aggregate(entries=Sum("seq"))["entries"],
        Hold.objects.aggregate(newest=Max("attempt"))["newest"],
        LoggedCall.objects.aggregate(newest=Max("id"))["newest"],
        Directory.objects.values_list("version", flat=True).first(),
    )


class Bell:
    """Looks while there are listeners, and rings for all of them."""

    def __init__(self) -> None:
        self._listeners: set[Live] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return len(self._listeners) >= SOCKETS_MAX

    def join(self, listener: Live) -> None:
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())

    def leave(self, listener: Live) -> None:
        self._listeners.discard(listener)

    async def _watch(self) -> None:
        seen = await sync_to_async(look)()
        while self._listeners:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = await sync_to_async(look)()
            except Exception:
                logger.exception("the live feed could not look; it looks again")
                continue
            if found != seen:
                seen = found
                await asyncio.gather(
                    *(listener.ring() for listener in list(self._listeners)),
                    return_exceptions=True,
                )


bell = Bell()


class Live(AsyncWebsocketConsumer):
    """One page's socket. Only pages of this origin, only people who are logged in."""

    async def connect(self) -> None:
        if not is_same_origin(self.scope) or not await self._may_listen():
            await self.close(POLICY)
            return
        if bell.is_full:
            await self.close(TRY_LATER)
            return
        await self.accept()
        bell.join(self)

    async def ring(self) -> None:
        """Ask anew who this is: a person who lost the last role hears nothing more."""
        if await self._may_listen():
            await self.send(text_data='{"event": "changed"}')
        else:
            await self.close(POLICY)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here."""
        await self.close(POLICY)

    async def disconnect(self, code: int) -> None:
        bell.leave(self)

    async def _may_listen(self) -> bool:
        actor = await sync_to_async(access.of_user)(self.scope.get("user"))
        return actor.may_somewhere("reports:read")


class NoSuchSocket(AsyncWebsocketConsumer):
    """Any other path: refused before it is opened."""

    async def connect(self) -> None:
        await self.close(POLICY)


def is_same_origin(scope: dict[str, Any]) -> bool:
    """A browser names the page's origin; a foreign, missing or null one is refused."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    own = {f"http://{host}", f"https://{host}", settings.PUBLIC_URL} - {""}
    return bool(host) and origin in own
