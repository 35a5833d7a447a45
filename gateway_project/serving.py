"""uvicorn's protocol, with the head of an answer and what follows it in one write.

uvicorn writes a head by itself, and each write is a system call and a packet of its own: for an
answer of a kilobyte that is a tenth of all the time that the system spends on it. A piece of a
stream goes through a `Pipe`, past the two coroutines that a message takes.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from providers.turns import turn_of

HEAD = b"HTTP/1.1 "


class Pipe:
    """The body of an answer that is under way: a write is a call, for as long as there is room."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    @property
    def has_room(self) -> bool:
        """False also where the caller has gone, or is to get the body in another way than here."""
        cycle = self._cycle
        return bool(
            cycle.chunked_encoding
            and not cycle.flow.write_paused
            and not cycle.disconnected
            and not cycle.response_complete
        )

    def write(self, data: bytes) -> None:
        """What is a message `http.response.body` of more than no bytes, with more to come."""
        self._cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))


def pipe_of(send: object) -> Pipe | None:
    """The pipe behind an ASGI application's `send`, where that is uvicorn's own."""
    cycle = getattr(send, "__self__", None)
    return Pipe(cycle) if isinstance(cycle, RequestResponseCycle) else None


class Protocol(HttpToolsProtocol):
    """What `uvicorn.Config(http=...)` takes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, Joining(transport, self.loop)))


class Joining:
    """A transport that keeps a head back until the next write, or until the loop's next turn.

    Whatever else is written shares the turn of the loop with other connections.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._turn = turn_of(loop)
        self._head = b""
        self.is_closing = transport.is_closing  # asked for with each answer: not by `__getattr__`

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._turn.write(self._transport, data)

    def close(self) -> None:
        self._flush()
        self._turn.finish(self._transport)
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._turn.write(self._transport, head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
