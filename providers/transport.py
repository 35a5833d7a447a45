"""HTTP with providers by httpx, for the SDK.

It sends one request and gives back status, headers and the body's bytes as they come, bounded in
size and time. Redirects are not followed, proxies and credentials of the environment are not read,
cookies are not kept. Failures come out as the errors of `errors.py`, never with a URL in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from .errors import ConnectFailed, ConnectionLost, TimedOut, UnusableAnswer
from .sender import BODY_BYTES_MAX, CONNECT_SECONDS, CONNECTIONS_MAX


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`chunks` may be read once and raises the errors of this module."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    async def body(self) -> bytes:
        """The whole body, at most BODY_BYTES_MAX."""
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks:
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                raise UnusableAnswer(f"the answer is longer than {BODY_BYTES_MAX} bytes")
            parts.append(chunk)
        return b"".join(parts)


class Transport:
    """HTTP by httpx; the client can be given, for tests and for callers with their own."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(
            limits=httpx.Limits(
                max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX
            ),
            trust_env=False,
            follow_redirects=False,
        )
        # Cookies of one caller's answer must never ride on another caller's request.
        self._client.cookies = httpx.Cookies(CookieJar(DefaultCookiePolicy(allowed_domains=[])))

    async def close(self) -> None:
        await self._client.aclose()

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
        deadline = asyncio.get_running_loop().time() + total_seconds
        request = self._client.build_request(
            "POST",
            url,
            headers=dict(headers),
            content=body,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        )
        try:
            async with asyncio.timeout(first_byte_seconds):
                response = await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ConnectFailed("no connection to the provider") from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise TimedOut(f"no answer within {first_byte_seconds:g} s") from error
        except Exception as error:  # whatever a client raises here, the request may have been sent
            raise ConnectionLost("the connection to the provider failed") from error
        try:
            yield HttpAnswer(response.status_code, response.headers, _bounded(response, deadline))
        finally:
            await response.aclose()


async def _bounded(response: httpx.Response, deadline: float) -> AsyncIterator[bytes]:
    iterator = response.aiter_bytes()
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(iterator, None)
            if chunk is None:
                return
            yield chunk
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut("the answer took too long") from error
    except Exception as error:  # whatever a client raises here, the answer has ended early
        raise ConnectionLost("the provider cut the connection") from error
