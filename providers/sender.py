"""The hole in the wall: the shape of whatever does HTTP with providers, and its bounds.

`transport.py` and `sync_transport.py` are of httpx, for the SDK; `lean_transport.py` is a server's.
Whoever knows this shape only, pays for none of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

BODY_BYTES_MAX: Final = 64 * 1024 * 1024
CONNECT_SECONDS: Final = 10.0
CONNECTIONS_MAX: Final = 2_000


class Answer(Protocol):
    """What comes back: read either `chunks`, once, or `body`."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def chunks(self) -> AsyncIterator[bytes]: ...

    async def body(self) -> bytes: ...


class Sender(Protocol):
    """The hole in the wall: whatever sends a request in this way is a transport."""

    def send(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        first_byte_seconds: float,
        total_seconds: float,
    ) -> AbstractAsyncContextManager[Answer]: ...

    async def close(self) -> None: ...
