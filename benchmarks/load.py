"""The load driver: so many callers in a closed loop for so many seconds, on one uvloop.

Each caller keeps one connection, sends its request, reads the answer to its end and sends again.
An answer counts only when it is whole: status 200, all the marks of wire.py, and for a stream its
own end (`[DONE]` or `message_stop`). Whatever else comes is an error and is told apart.

`python -m benchmarks.load --url URL --key KEY --body FILE --callers 64 --seconds 5 [--stream]`
prints one JSON object; times are microseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from .wire import CHUNKS, MARK

PATIENCE_SECONDS = 15.0
SAMPLE_BYTES = 300
ANSWER_BYTES_MAX = 4 * 1024 * 1024
TRIES_MAX = 200  # connections in a row that fail before a caller gives up
LENGTH = re.compile(rb"\r\ncontent-length:\s*([0-9]+)\s*\r\n", re.IGNORECASE)
MARK_BYTE = MARK.encode()
ENDS = (b"[DONE]", b"message_stop")


@dataclass(slots=True)
class Tally:
    """What came back. `latencies` and `first_bytes` are of whole answers only."""

    answers: int = 0
    in_time: int = 0
    refused: int = 0  # a status other than 200
    incomplete: int = 0  # status 200, but pieces are missing
    unended: int = 0  # a stream with all its pieces, but without its own end
    broken: int = 0  # the connection ended before the answer did
    late: int = 0  # still not answered when patience ended
    reconnects: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    sample: str = ""
    latencies: list[float] = field(default_factory=list)
    first_bytes: list[float] = field(default_factory=list)
    first_chunks: list[float] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return self.refused + self.incomplete + self.unended + self.broken + self.late


@dataclass(frozen=True, slots=True)
class Work:
    """One request, ready to be written, and what its answer must hold."""

    host: str
    port: int
    request: bytes
    marks: int
    is_stream: bool
    until: float  # by time.perf_counter: no request starts later
    tally: Tally


class Caller(asyncio.Protocol):
    """One connection in a closed loop; `done` is set when it has stopped."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._tries = 0
        self._reset(0.0)

    def _reset(self, now: float) -> None:
        self._started = now
        self._answer = bytearray()
        self._body_at = self._length = 0
        self._first_byte = self._first_chunk = 0.0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the shape of asyncio.Transport, not its type
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        if now >= self.work.until:
            self.stop()
            return
        self._reset(now)
        self._is_waiting = True
        if self._transport is not None:
            self._transport.write(self.work.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self._first_byte:
            self._first_byte = now
        self._answer += data
        if self.work.is_stream and not self._first_chunk and MARK_BYTE in data:
            self._first_chunk = now
        if not self._body_at and not self._read_head():
            return
        if self._is_whole():
            self._count(now)
            if self._must_close():
                self._drop()
            else:
                self._send()
        elif len(self._answer) > ANSWER_BYTES_MAX:
            self._drop()

    def _read_head(self) -> bool:
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._body_at = end + 4
        found = LENGTH.search(self._answer, 0, self._body_at)
        self._length = int(found[1]) if found else -1  # -1: chunked
        return True

    def _is_whole(self) -> bool:
        if self._length >= 0:
            return len(self._answer) - self._body_at >= self._length
        return self._answer.endswith(b"\r\n0\r\n\r\n")

    def _must_close(self) -> bool:
        return b"connection: close" in self._answer[: self._body_at].lower()

    def _count(self, now: float) -> None:
        tally, status = self.work.tally, self._answer[9:12].decode("latin-1")
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if status != "200":
            tally.refused += 1
        elif self._answer.count(MARK_BYTE, self._body_at) != self.work.marks:
            tally.incomplete += 1
        elif self.work.is_stream and not any(end in self._answer for end in ENDS):
            tally.unended += 1
            tally.first_chunks.append(self._first_chunk - self._started)
        else:
            self._count_good(now)
            return
        self._keep_sample()

    def _count_good(self, now: float) -> None:
        tally = self.work.tally
        tally.answers += 1
        tally.in_time += now <= self.work.until
        tally.latencies.append(now - self._started)
        tally.first_bytes.append(self._first_byte - self._started)
        if self._first_chunk:
            tally.first_chunks.append(self._first_chunk - self._started)

    def _keep_sample(self) -> None:
        if not self.work.tally.sample:
            self.work.tally.sample = self._answer[:SAMPLE_BYTES].decode("latin-1")

    def _drop(self) -> None:
        """Leave this connection and go on with another."""
        self._is_waiting = False
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._is_waiting:
            self._keep_sample()
            if self._answer:
                self.work.tally.statuses["cut"] = self.work.tally.statuses.get("cut", 0) + 1
            self.work.tally.broken += 1
        if self.done.done():
            return
        if time.perf_counter() >= self.work.until:
            self.stop()
            return
        self.work.tally.reconnects += 1
        asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        """Connect, again and again within a bound; a caller that never gets through stops."""
        loop = asyncio.get_running_loop()
        while self._tries < TRIES_MAX and time.perf_counter() < self.work.until:
            try:
                await loop.create_connection(lambda: self, self.work.host, self.work.port)
            except OSError:
                self._tries += 1
                self.work.tally.broken += 1
                await asyncio.sleep(0.01)
            else:
                self._tries = 0
                return
        self.stop()

    def stop(self) -> None:
        self._is_waiting = False
        if not self.done.done():
            self.done.set_result(None)
        if self._transport is not None:
            self._transport.close()

    @property
    def is_late(self) -> bool:
        return self._is_waiting and not self.done.done()


def request(url: str, key: str, body: bytes) -> tuple[str, int, bytes]:
    """(host, port, bytes of a whole HTTP request)."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    lines = [
        f"POST {parts.path or '/'} HTTP/1.1",
        f"host: {host}:{port}",
        "content-type: application/json",
        "accept: */*",
        f"authorization: Bearer {key}",
        f"x-api-key: {key}",
        "anthropic-version: 2023-06-01",
        f"content-length: {len(body)}",
    ]
    return host, port, ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def drive(
    url: str, key: str, body: bytes, *, callers: int, seconds: float, is_stream: bool
) -> Tally:
    """Load `url` and return what came back; after `seconds` only what is under way is awaited."""
    host, port, data = request(url, key, body)
    tally = Tally()
    until = time.perf_counter() + seconds
    work = Work(host, port, data, CHUNKS if is_stream else 1, is_stream, until, tally)
    started = [Caller(work) for _ in range(callers)]
    await asyncio.gather(*(caller.connect() for caller in started))
    await asyncio.wait([caller.done for caller in started], timeout=seconds + PATIENCE_SECONDS)
    for caller in started:
        tally.late += caller.is_late
        caller.stop()
    return tally


def report(tally: Tally, seconds: float) -> dict[str, Any]:
    """Counts as they are; each list of seconds as percentiles in microseconds."""
    counts = asdict(tally)
    for name in ("latencies", "first_bytes", "first_chunks"):
        counts.pop(name)
    return {
        **counts,
        "errors": tally.errors,
        "per_second": round(tally.in_time / seconds, 1),
        "latency_us": percentiles(tally.latencies),
        "first_byte_us": percentiles(tally.first_bytes),
        "first_chunk_us": percentiles(tally.first_chunks),
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """p50, p90, p99 and the greatest, in microseconds by nearest rank; None of nothing."""
    if not seconds:
        return None
    found = sorted(seconds)

    def at(share: float) -> float:
        return round(found[min(len(found) - 1, int(len(found) * share))] * 1e6, 1)

    return {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a gateway in a closed loop.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", default="none")
    parser.add_argument("--body", type=Path, required=True, help="file with the JSON to send")
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--stream", action="store_true")
    asked = parser.parse_args()
    tally = uvloop.run(
        drive(
            asked.url,
            asked.key,
            asked.body.read_bytes(),
            callers=asked.callers,
            seconds=asked.seconds,
            is_stream=asked.stream,
        )
    )
    print(json.dumps(report(tally, asked.seconds)))


if __name__ == "__main__":
    main()
