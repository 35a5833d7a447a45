"""The transport of a server: HTTP/1.1 on asyncio's own protocols, with httptools as the parser.

The same hole in the wall as `transport.py`, with the same bounds and errors, at a fraction of the
cost of a general client: a request is one write, and an answer is parsed where it arrives. It
follows no redirects, keeps no cookies and reads no proxies or keys of the environment. httptools is
imported only here, so that a script that uses the SDK pays for httpx and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit

import certifi

from .errors import ConnectFailed, UnusableAnswer
from .inflate import Plain, inflater_for
from .lean_connection import Connection
from .sender import BODY_BYTES_MAX, CONNECT_SECONDS, CONNECTIONS_MAX

KEEP_ALIVE_SECONDS = 30.0


class Origin(NamedTuple):
    host: str
    port: int
    is_tls: bool


class Pool:
    """The idle connections of one origin, the last used at the right end."""

    def __init__(self, transport: LeanTransport) -> None:
        self._transport = transport
        self._idle: deque[Connection] = deque()

    def take(self) -> Connection | None:
        """A connection that may be used, and that idled for at most KEEP_ALIVE_SECONDS."""
        while self._idle:
            known = self._idle.pop()
            if known.is_usable and known.idle_seconds < KEEP_ALIVE_SECONDS:
                return known
            known.close()
        return None

    def opened(self, connection: Connection) -> None:
        self._transport.open += 1

    def closed(self, connection: Connection) -> None:
        self._transport.open -= 1

    def idle(self, connection: Connection) -> None:
        """Keep it for the next request; what has idled too long goes."""
        self._idle.append(connection)
        while self._idle[0].idle_seconds > KEEP_ALIVE_SECONDS:
            self._idle.popleft().close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class LeanTransport:
    """Belongs to the loop that sends first; `close` ends what is idle."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """`tls` says whom to trust; by default the system's and certifi's authorities."""
        self._pools: dict[Origin, Pool] = {}
        self._tls = tls
        self.open = 0

    def send(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        first_byte_seconds: float,
        total_seconds: float,
    ) -> Exchange:
        """POST `body`; entering raises ConnectFailed, TimedOut or ConnectionLost."""
        origin, opening = _address(url)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise ConnectFailed("a header of the request holds a line break")
        head = f"{opening}content-length: {len(body)}\r\n{lines}\r\n".encode("latin-1", "replace")
        return Exchange(self, origin, head + body, first_byte_seconds, total_seconds)

    async def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    async def connection(self, origin: Origin, seconds_max: float) -> Connection:
        """An idle connection that is still good, or a new one; raises ConnectFailed."""
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(self)
        return pool.take() or await self._connect(origin, pool, seconds_max)

    async def _connect(self, origin: Origin, pool: Pool, seconds_max: float) -> Connection:
        if self.open >= CONNECTIONS_MAX:
            raise ConnectFailed("too many connections to providers are open")
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, seconds_max)):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(pool),
                    origin.host,
                    origin.port,
                    ssl=self._tls_context() if origin.is_tls else None,
                )
        except (OSError, TimeoutError) as error:
            raise ConnectFailed("no connection to the provider") from error
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.load_verify_locations(certifi.where())
        return self._tls


class Exchange:
    """One request and its answer: `async with` it, then read `status`, `headers`, `chunks`."""

    __slots__ = (
        "_connection",
        "_first",
        "_inflater",
        "_origin",
        "_request",
        "_total",
        "_transport",
    )

    def __init__(
        self,
        transport: LeanTransport,
        origin: Origin,
        request: bytes,
        first_byte_seconds: float,
        total_seconds: float,
    ) -> None:
        self._transport, self._origin, self._request = transport, origin, request
        self._first, self._total = first_byte_seconds, total_seconds
        self._connection: Connection | None = None
        self._inflater: Plain | None = None

    async def __aenter__(self) -> Exchange:
        connection = await self._transport.connection(self._origin, self._first)
        self._connection = connection
        try:
            await connection.ask(self._request, self._first)
            if connection.encoding:
                self._inflater = inflater_for(connection.encoding)
        except BaseException:
            connection.close()
            raise
        connection.expect_end(self._total)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """An answer that was not heard out takes its connection along."""
        assert self._connection is not None
        self._connection.finish(is_heard=kind is None)

    @property
    def status(self) -> int:
        assert self._connection is not None
        return self._connection.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case; of a name that comes twice, the last value."""
        assert self._connection is not None
        return self._connection.headers()

    @property
    def chunks(self) -> Exchange:
        return self

    def tap(self, taker: Callable[[bytes], bool]) -> None:
        """Let `taker` have what arrives while `chunks` is waited for; what it refuses comes there.

        It must not raise. What comes packed is for `chunks` alone.
        """
        assert self._connection is not None
        if self._inflater is None:
            self._connection.taker = taker

    def __aiter__(self) -> Exchange:
        return self

    async def __anext__(self) -> bytes:
        if self._inflater is None:
            assert self._connection is not None
            data = await self._connection.read()
        else:
            data = await self._plain()
        if not data:
            raise StopAsyncIteration
        return data

    async def body(self) -> bytes:
        """The whole body, at most BODY_BYTES_MAX."""
        assert self._connection is not None
        data = await self._plain()
        if self._connection.is_read and self._inflater is None:
            return data
        parts, size = [data], len(data)
        while data:
            data = await self._plain()
            size += len(data)
            if size > BODY_BYTES_MAX:
                raise UnusableAnswer(f"the answer is longer than {BODY_BYTES_MAX} bytes")
            parts.append(data)
        return b"".join(parts)

    async def _plain(self) -> bytes:
        """What comes next, unpacked where it is packed although that was not asked for."""
        assert self._connection is not None
        while data := await self._connection.read():
            if self._inflater is None:
                return data
            if plain := b"".join(self._inflater.feed(data)):
                return plain
        if self._inflater is not None:
            self._inflater.close()
        return b""


@lru_cache(maxsize=1_024)
def _address(url: str) -> tuple[Origin, str]:
    """Where an URL leads, and the first lines of a request there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or not url.isascii():
        raise ConnectFailed("the address of the provider is not a URL")
    if any(character <= " " for character in url):
        raise ConnectFailed("the address of the provider holds a space or control character")
    is_tls = parts.scheme == "https"
    origin = Origin(host, parts.port or (443 if is_tls else 80), is_tls)
    name = parts.netloc.rpartition("@")[2]
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return origin, f"POST {path} HTTP/1.1\r\nhost: {name}\r\nuser-agent: tollgate\r\n"
