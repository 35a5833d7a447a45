"""One client per process and kind, made when it is first needed and closed at the end.

A thread's client belongs to its process, a loop's to its loop: connections of a closed loop are of
no use. After a fork the child makes its own and leaves the parent's alone, since closing them
would speak on the parent's connections.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator
from typing import Any

import httpx

from ..sender import Sender
from ..sync_transport import SyncSender, SyncTransport
from ..transport import Transport


class Clients:
    """What this process has opened."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.of_threads: SyncTransport | None = None
        self.of_loops: dict[asyncio.AbstractEventLoop, tuple[Transport, AsyncGenerator[None]]] = {}
        atexit.register(self.close)

    def close(self) -> None:
        if self.of_threads is not None and self.pid == os.getpid():
            self.of_threads.close()


_known: list[Clients] = []  # those of a parent process stay here, unused and unclosed


def _clients() -> Clients:
    if not _known or _known[-1].pid != os.getpid():
        _known.append(Clients())
    return _known[-1]


def sync_sender(given: Any = None) -> SyncSender:
    """The caller's own client, or this process's."""
    if given is not None:
        return SyncTransport(given) if isinstance(given, httpx.Client) else given
    clients = _clients()
    with clients.lock:
        if clients.of_threads is None:
            clients.of_threads = SyncTransport()
        return clients.of_threads


async def async_sender(given: Any = None) -> Sender:
    """The caller's own client, or this loop's."""
    if given is not None:
        return Transport(given) if isinstance(given, httpx.AsyncClient) else given
    clients, loop = _clients(), asyncio.get_running_loop()
    found = clients.of_loops.get(loop)
    if found is None:
        for old in [each for each in clients.of_loops if each.is_closed()]:
            del clients.of_loops[old]
        transport = Transport()
        keeper = _keep(clients, loop, transport)
        found = clients.of_loops[loop] = (transport, keeper)
        await anext(keeper)
    return found[0]


async def _keep(
    clients: Clients, loop: asyncio.AbstractEventLoop, transport: Transport
) -> AsyncGenerator[None]:
    """A loop closes its open generators before it ends (`asyncio.run` sees to it): so this one
    closes the loop's client then, without a hook of our own in anybody's loop."""
    try:
        yield
    finally:
        clients.of_loops.pop(loop, None)
        await transport.close()
