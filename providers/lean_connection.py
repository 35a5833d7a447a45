"""One connection to a provider: writes a request, parses the answer as it arrives. Bounded.

A connection does one exchange at a time. What arrives is kept until it is read; above
BUFFER_BYTES_MAX nothing more is read from the socket until the reader has caught up.

A reader that waits for more may leave a `taker` behind: it gets what arrives meanwhile at once, and
says whether that was for it. What it did not take wakes the reader, as everything else does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from .errors import ConnectFailed, ConnectionLost, ProviderError, TimedOut
from .turns import turn_of

HEADER_BYTES_MAX = 64 * 1024
BUFFER_BYTES_MAX = 64 * 1024
REST_BYTES_MAX = 64 * 1024
REST_SECONDS = 1.0
FRAMING = (b"content-length", b"transfer-encoding")


class Owner(Protocol):
    """Who counts connections and keeps the idle ones."""

    def opened(self, connection: Connection) -> None: ...

    def closed(self, connection: Connection) -> None: ...

    def idle(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """`ask` sends and waits for the head, `read` gives the body, `finish` ends the exchange."""

    def __init__(self, owner: Owner) -> None:
        self._began = 0.0
        self._idle_since = 0.0
        self.status = 0
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._turn = turn_of(self._loop)
        self._parser = httptools.HttpResponseParser(self)
        self._socket: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_asking = False
        self._begin()

    def _begin(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_bytes = 0
        self.encoding = ""
        self._has_head = self._has_ended = self._is_paused = self._is_over = False
        self._is_kept = True
        self._pieces: list[bytes] = []
        self._size = 0
        self._error: ProviderError | None = None
        self.taker: Callable[[bytes], bool] | None = None

    # What asks.

    @property
    def is_usable(self) -> bool:
        """May another request be sent here?"""
        return (
            self._socket is not None
            and not self._socket.is_closing()
            and not self._is_asking
            and self._is_kept
        )

    @property
    def idle_seconds(self) -> float:
        """How long it has been resting."""
        return self._loop.time() - self._idle_since

    @property
    def is_read(self) -> bool:
        """The whole answer has been read."""
        return self._has_ended and not self._pieces and self._error is None

    async def ask(self, request: bytes, seconds_max: float) -> None:
        """Write `request` and wait so long for the head of its answer."""
        self._begin()
        if self._socket is None or self._socket.is_closing():
            raise ConnectFailed("no connection to the provider")
        self._is_asking = True
        self._began = self._loop.time()
        self._timer = self._loop.call_later(
            seconds_max, self._time_out, f"no answer within {seconds_max:g} s"
        )
        self._turn.write(self._socket, request)
        while not self._has_head:
            if self._error is not None:
                raise self._error
            self._waiter = self._loop.create_future()
            await self._waiter

    def expect_end(self, seconds_max: float) -> None:
        """From the asking on, the whole answer may take so long."""
        self._stop_timer()
        if not self._has_ended:
            until = self._began + seconds_max
            self._timer = self._loop.call_at(until, self._time_out, "the answer took too long")

    async def read(self) -> bytes:
        """What has arrived of the body, waiting for some of it; empty at its end."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._has_ended:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._size = [], 0
        if self._is_paused and self._socket is not None:
            self._is_paused = False
            self._socket.resume_reading()
        return data

    def finish(self, *, is_heard: bool) -> None:
        """The exchange is over. One that was heard out may still lack its last bytes, which say
        nothing: they get a moment, so that the connection can be used again.
        """
        self._stop_timer()
        self._is_over = True
        self._pieces = []
        self.taker = None
        if self._error is not None or not (self._has_ended or is_heard):
            self.close()
        elif self._has_ended:
            self._rest()
        else:
            self._size = 0
            self._timer = self._loop.call_later(REST_SECONDS, self.close)
            if self._is_paused and self._socket is not None:
                self._socket.resume_reading()

    def _rest(self) -> None:
        self._stop_timer()
        self._is_asking = False
        if self.is_usable:
            self._idle_since = self._loop.time()
            self._owner.idle(self)
        else:
            self.close()

    def close(self) -> None:
        self._stop_timer()
        self._is_kept = False
        if self._socket is not None:
            self._socket.abort()

    def headers(self) -> dict[str, str]:
        return {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._headers
        }

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self, message: str) -> None:
        self._fail(TimedOut(message))

    def _fail(self, error: ProviderError) -> None:
        if not self._has_ended and self._error is None:
            self._error = error
        self.close()
        self._wake()

    # What arrives: asyncio's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if not self._is_asking or self._has_ended:
            self.close()  # nobody asked for this
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(ConnectionLost("the provider's answer is not HTTP"))
            return
        if self._is_over:
            self._pieces = []
            if self._has_ended:
                self._rest()
            elif self._size > REST_BYTES_MAX:
                self.close()
            return
        if self.taker is not None and self._is_taken(self.taker):
            return
        if self._size > BUFFER_BYTES_MAX and not self._is_paused and not self._has_ended:
            self._is_paused = True
            assert self._socket is not None
            self._socket.pause_reading()
        if self._has_head:
            self._wake()

    def _is_taken(self, taker: Callable[[bytes], bool]) -> bool:
        """Only while its reader waits: then nothing that came before is still on its way."""
        waiter = self._waiter
        if waiter is None or waiter.done() or self._has_ended or len(self._pieces) != 1:
            return False
        if not taker(self._pieces[0]):
            return False
        self._pieces.clear()
        self._size = 0
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.closed(self)
        if self._is_asking and self._has_head and error is None and self._ends_with_connection():
            self._has_ended = True
        self._fail(ConnectionLost("the connection to the provider was lost"))

    def _ends_with_connection(self) -> bool:
        """An answer that names no length is complete when the connection closes."""
        return not any(name.lower() in FRAMING for name, _ in self._headers)

    # What the parser finds: httptools' calls.

    def on_message_begin(self) -> None:
        if self._has_ended:
            raise ValueError("a second answer came to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        self._header_bytes += len(name) + len(value)
        if name.lower() == b"content-encoding":
            self.encoding = value.decode("latin-1")
        if self._header_bytes > HEADER_BYTES_MAX:
            raise ValueError("the headers of the answer are too large")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self._headers = []  # an interim answer: the real one follows
            return
        self._has_head = True
        self._is_kept = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        if self._has_head:
            self._has_ended = True
