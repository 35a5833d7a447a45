"""The transport of a server: aiohttp alone, at a third of the cost of httpx in front of it.

The same hole in the wall as `transport.py`, with the same bounds and errors. aiohttp is imported
only here, so that a script that uses the SDK pays for httpx and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from .errors import ConnectFailed, ConnectionLost, TimedOut
from .transport import CONNECT_SECONDS, CONNECTIONS_MAX, HttpAnswer

KEEP_ALIVE_SECONDS = 30.0
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_SECONDS)
NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AiohttpTransport:
    """One session for a process; it is made in the loop that sends first."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def send(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        first_byte_seconds: float,
        total_seconds: float,
    ) -> AsyncIterator[HttpAnswer]:
        """POST `body`; raises ConnectFailed, TimedOut or ConnectionLost before the answer."""
        session = self._session or self._open()
        deadline = asyncio.get_running_loop().time() + total_seconds
        try:
            async with asyncio.timeout(first_byte_seconds):
                response = await session.post(
                    URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
                )
        except NO_CONNECTION as error:
            raise ConnectFailed("no connection to the provider") from error
        except TimeoutError as error:
            raise TimedOut(f"no answer within {first_byte_seconds:g} s") from error
        except Exception as error:  # whatever the client raises, the request may have been sent
            raise ConnectionLost("the connection to the provider failed") from error
        try:
            yield HttpAnswer(response.status, response.headers, _bounded(response, deadline))
        finally:
            response.close()  # an answer that was not read to its end takes its connection along

    def _open(self) -> aiohttp.ClientSession:
        """No cookies, no proxies and keys of the environment, no unpacking, no default names."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=TIMEOUT,
            trust_env=False,
            auto_decompress=False,
            headers={"user-agent": "tollgate"},
        )
        return self._session


async def _bounded(response: aiohttp.ClientResponse, deadline: float) -> AsyncIterator[bytes]:
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                chunk = await response.content.readany()
            if not chunk:
                return
            yield chunk
    except TimeoutError as error:
        raise TimedOut("the answer took too long") from error
    except Exception as error:  # whatever the client raises here, the answer has ended early
        raise ConnectionLost("the provider cut the connection") from error
