"""A provider that costs next to nothing: OpenAI and Anthropic wire, whole and streamed.

One process, one uvloop, prepared bytes. The model's name sets what it does:

| part of the name | means |
|---|---|
| `mock` | the whole answer, or all chunks of a stream, at once |
| `-d20` | 20 ms between the chunks of a stream |
| `-t60` | 60 ms until the first byte |
| `-e503` | this status instead of an answer |
| `-cut20` | a stream breaks off after 20 chunks |

So `mock-d20-t60`, or `claude-mock-d20-t60` where a gateway routes by the name.
`python -m benchmarks.simulator --port 9100`; it prints its port when it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import uvloop

from . import wire

BODY_BYTES_MAX = 8 * 1024 * 1024
HEAD_BYTES_MAX = 32 * 1024
EDGE_BYTES = 4 * 1024
MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
TRUE = re.compile(rb"\s*:\s*true")
STREAMED, USAGE_ASKED = b'"stream"', b'"include_usage"'
LENGTH = re.compile(rb"\r\ncontent-length:\s*([0-9]{1,9})\s*\r\n", re.IGNORECASE)
PATHS: dict[bytes, wire.Dialect] = {
    b"POST /v1/chat/completions": "openai",
    b"POST /v1/messages": "anthropic",
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a model's name asks for; times in seconds."""

    pause_seconds: float = 0.0
    first_seconds: float = 0.0
    status: int = 200
    chunks: int = wire.CHUNKS

    @property
    def is_cut(self) -> bool:
        return self.chunks < wire.CHUNKS


@dataclass(frozen=True, slots=True)
class Prepared:
    """All answers to one model name on one wire."""

    behaviour: Behaviour
    whole: bytes
    stream: wire.Stream
    stream_with_usage: wire.Stream
    burst: bytes
    burst_with_usage: bytes


def behaviour(model: str) -> Behaviour:
    """Read a model's name; parts that it does not have keep their defaults."""

    def number(part: str, default: int) -> int:
        found = re.search(rf"-{part}([0-9]{{1,6}})(?=-|$)", model)
        return int(found[1]) if found else default

    return Behaviour(
        pause_seconds=number("d", 0) / 1000,
        first_seconds=number("t", 0) / 1000,
        status=number("e", 200),
        chunks=min(number("cut", wire.CHUNKS), wire.CHUNKS),
    )


@lru_cache(maxsize=256)
def prepared(dialect: wire.Dialect, model: str) -> Prepared:
    known = behaviour(model)
    plain = wire.stream(dialect, model, with_usage=False)
    told = wire.stream(dialect, model, with_usage=True)
    answer = wire.whole(dialect, model)
    if known.status != 200:
        answer = wire.error(known.status, f"the model {model} always answers so")
    return Prepared(known, answer, plain, told, plain.whole, told.whole)


class Connection(asyncio.Protocol):
    """One caller's connection: requests in turn, kept alive, framed by content-length."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._missing = 0  # bytes of the body that are still to come
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the shape of asyncio.Transport, not its type
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._begin(b"".join([*self._parts, data]) if self._parts else data)
            return
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing <= 0:
            request, self._parts, self._missing = b"".join(self._parts), [], 0
            self._answer(request)

    def _begin(self, data: bytes) -> None:
        """The start of a request: most come in one piece and are answered at once."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._parts = [data]
            if len(data) > HEAD_BYTES_MAX:
                self._refuse(431, "the head is too large")
            return
        length = LENGTH.search(data, 0, end + 4)
        if length is None or int(length[1]) > BODY_BYTES_MAX:
            self._refuse(411, "a content-length of at most 8 MiB is needed")
            return
        self._parts = []
        self._missing = end + 4 + int(length[1]) - len(data)
        if self._missing > 0:
            self._parts.append(data)
        else:
            self._missing = 0
            self._answer(data)

    def _refuse(self, status: int, message: str) -> None:
        if self._transport is not None:
            self._transport.write(wire.error(status, message))
            self._transport.close()

    def _answer(self, request: bytes) -> None:
        dialect = next((PATHS[line] for line in PATHS if request.startswith(line)), None)
        model = MODEL.search(request, 0, EDGE_BYTES) or MODEL.search(request)
        if dialect is None or model is None:
            self._refuse(404, "POST /v1/chat/completions or /v1/messages with a model")
            return
        answers = prepared(dialect, model[1].decode())
        if _says(request, STREAMED) and answers.behaviour.status == 200:
            self._stream(answers, with_usage=_says(request, USAGE_ASKED))
        elif answers.behaviour.first_seconds:
            self._later(answers.behaviour.first_seconds, answers.whole)
        elif self._transport is not None:
            self._transport.write(answers.whole)

    def _later(self, seconds: float, data: bytes) -> None:
        if self._transport is not None:
            self._timer = self._loop.call_later(seconds, self._transport.write, data)

    def _stream(self, answers: Prepared, *, with_usage: bool) -> None:
        known = answers.behaviour
        parts = answers.stream_with_usage if with_usage else answers.stream
        if known.pause_seconds:
            self._timer = self._loop.call_later(known.first_seconds, self._send, known, parts, 0)
        elif known.is_cut:
            self._timer = self._loop.call_later(known.first_seconds, self._cut, known, parts)
        else:
            burst = answers.burst_with_usage if with_usage else answers.burst
            if known.first_seconds:
                self._later(known.first_seconds, burst)
            elif self._transport is not None:
                self._transport.write(burst)

    def _send(self, known: Behaviour, parts: wire.Stream, at: int) -> None:
        """Write one piece and come back for the next; the first brings the opening along."""
        if self._transport is None:
            return
        if at == known.chunks:
            self._end(known, parts)
            return
        piece = parts.pieces[at]
        self._transport.write(piece if at else parts.opening + piece)
        self._timer = self._loop.call_later(known.pause_seconds, self._send, known, parts, at + 1)

    def _cut(self, known: Behaviour, parts: wire.Stream) -> None:
        if self._transport is not None:
            self._transport.write(parts.opening + b"".join(parts.pieces[: known.chunks]))
            self._transport.close()

    def _end(self, known: Behaviour, parts: wire.Stream) -> None:
        if self._transport is not None and known.is_cut:
            self._transport.close()
        elif self._transport is not None:
            self._transport.write(parts.ending)


def _says(request: bytes, name: bytes) -> bool:
    """Is the field true? The messages are the one large field, so what says it stands near an end.

    Looking through all of a prompt of 400 KB would cost 200 us.
    """
    for low in (0, len(request) - EDGE_BYTES):
        at = request.find(name, max(low, 0), max(low, 0) + EDGE_BYTES)
        if at >= 0:
            return TRUE.match(request, at + len(name)) is not None
    return False


async def serve(port: int) -> None:
    """Listen on loopback until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(Connection, "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated provider for benchmarks.")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
