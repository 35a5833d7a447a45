"""The transport of a script without an event loop: the twin of `transport.py` on httpx's Client.

The same bounds and errors, with one difference: a thread that waits for bytes cannot be woken at
a deadline, so each wait is bounded by `first_byte_seconds`, and the deadline of the whole answer
is looked at whenever bytes have come.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import httpx

from .errors import ConnectFailed, ConnectionLost, ProviderError, TimedOut, UnusableAnswer
from .sender import BODY_BYTES_MAX, CONNECT_SECONDS, CONNECTIONS_MAX


@dataclass(frozen=True, slots=True)
class SyncHttpAnswer:
    """`chunks` may be read once and raises the errors of this module."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]

    def body(self) -> bytes:
        """The whole body, at most BODY_BYTES_MAX."""
        parts: list[bytes] = []
        size = 0
        for chunk in self.chunks:
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                raise UnusableAnswer(f"the answer is longer than {BODY_BYTES_MAX} bytes")
            parts.append(chunk)
        return b"".join(parts)


class SyncSender(Protocol):
    """The hole in the wall for threads."""

    def send(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        first_byte_seconds: float,
        total_seconds: float,
    ) -> AbstractContextManager[SyncHttpAnswer]: ...

    def close(self) -> None: ...


class SyncTransport:
    """HTTP by httpx; the client can be given, for tests and for callers with their own."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(
            limits=httpx.Limits(
                max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX
            ),
            trust_env=False,
            follow_redirects=False,
        )
        # Cookies of one answer must never ride on another request.
        self._client.cookies = httpx.Cookies(CookieJar(DefaultCookiePolicy(allowed_domains=[])))

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def send(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        first_byte_seconds: float,
        total_seconds: float,
    ) -> Iterator[SyncHttpAnswer]:
        """POST `body`; raises ConnectFailed, TimedOut or ConnectionLost before the answer."""
        deadline = time.monotonic() + total_seconds
        wait = min(first_byte_seconds, total_seconds)
        request = self._client.build_request(
            "POST",
            url,
            headers=dict(headers),
            content=body,
            timeout=httpx.Timeout(wait, connect=min(CONNECT_SECONDS, wait)),
        )
        try:
            response = self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ConnectFailed("no connection to the provider") from error
        except httpx.TimeoutException as error:
            raise TimedOut(f"no answer within {wait:g} s") from error
        except Exception as error:  # whatever a client raises here, the request may have been sent
            raise ConnectionLost("the connection to the provider failed") from error
        try:
            yield SyncHttpAnswer(
                response.status_code, response.headers, _bounded(response, deadline)
            )
        finally:
            response.close()


def _bounded(response: httpx.Response, deadline: float) -> Iterator[bytes]:
    try:
        for chunk in response.iter_bytes():
            yield chunk
            if time.monotonic() > deadline:
                raise TimedOut("the answer took too long")
    except httpx.TimeoutException as error:
        raise TimedOut("the answer took too long") from error
    except ProviderError:
        raise
    except Exception as error:  # whatever a client raises here, the answer has ended early
        raise ConnectionLost("the provider cut the connection") from error
