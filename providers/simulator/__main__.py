"""The simulator's process: a small ASGI application on uvicorn, on the loopback interface."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import socket
import time
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import answers, wire
from .answers import Ask, Plan
from .journal import Journal

PATHS = {
    "/v1/chat/completions": "openai",
    "/chat/completions": "openai",
    "/v1/embeddings": "embeddings",
    "/embeddings": "embeddings",
    "/v1/messages": "anthropic",
}
BODY_BYTES_MAX = 64 * 1024 * 1024
HANG_SECONDS = 600.0
STATUS = re.compile(r"sim-([45]\d\d)")
COUNTED = re.compile(r"sim-(hang|cut|error-event)-(\d{1,4})")
PAUSES = {"sim-long": 0.01, "sim-slow": 0.1}


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which also lets the application cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"cut": {"now": self.transport.abort}}


class Simulator:
    """The ASGI application. It goes on producing, and counting, when the caller has left."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if scope["path"] in {"/v1/models", "/models"}:
            listed = {"object": "list", "data": [{"id": "sim-echo", "object": "model"}]}
            await _answer(send, 200, orjson.dumps(listed))
            return
        name = PATHS.get(scope["path"])
        if name is None or scope["method"] != "POST":
            await _answer(send, 404, answers.error(name or "openai", 404, "Not found."))
            return
        headers = dict(scope["headers"])
        if not (headers.get(b"authorization") or headers.get(b"x-api-key")):
            await _answer(send, 401, answers.error(name, 401, "No API key."))
            return
        try:
            document = orjson.loads(body)
            ask = answers.read_ask(name, document, _text(headers.get(b"x-tollgate-attempt")))
        except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
            await _answer(send, 400, answers.error(name, 400, "Not a request."))
            return
        await Serving(ask, scope, send, self._journal).run()


class Serving:
    """One call: planned, journalled, answered or not."""

    def __init__(self, ask: Ask, scope: Any, send: Any, journal: Journal) -> None:
        self._ask, self._send, self._journal = ask, send, journal
        self._cut = scope["extensions"]["cut"]["now"]
        self._id = f"sim-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._said = 0

    async def run(self) -> None:
        ask = self._ask
        status = STATUS.fullmatch(ask.model)
        if status is not None:
            await self._refuse(int(status[1]))
        elif ask.model in {"sim-hang", "sim-reset", "sim-garbage", "sim-empty"}:
            await self._misbehave(ask.model)
        else:
            await self._serve(answers.plan(ask))

    async def _note(self, event: str, **fields: Any) -> None:
        ask = self._ask
        line = {
            "event": event,
            "id": self._id,
            "attempt": ask.attempt,
            "wire": ask.wire,
            "model": ask.model,
            "stream": ask.is_stream,
            **fields,
        }
        await self._journal.write(line)

    async def _refuse(self, status: int) -> None:
        await self._note("end", status=status, outcome="refused")
        headers = [(b"retry-after", b"7")] if status == 429 else []
        body = answers.error(self._ask.wire, status, f"The simulator answers {status}.")
        await _answer(self._send, status, body, headers)

    async def _misbehave(self, model: str) -> None:
        await self._note("start", status=200)
        await self._note("end", status=200, outcome=model.removeprefix("sim-"))
        if model == "sim-hang":
            await asyncio.sleep(HANG_SECONDS)
        if model in {"sim-hang", "sim-reset"}:
            self._cut()
            return
        body = b"<html><body>Bad gateway</body></html>" if model == "sim-garbage" else b""
        await _answer(self._send, 200, body, kind=b"text/html")

    async def _serve(self, answer: Plan) -> None:
        await self._note("start", status=200, input_tokens=answer.input_tokens)
        fault = COUNTED.fullmatch(self._ask.model)
        outcome = "ok" if fault is None else fault[1]
        try:
            if self._ask.is_stream:
                await self._stream(answer, fault)
            else:
                await self._whole(answer, fault)
        finally:
            counted = {"input_tokens": answer.input_tokens, "output_tokens": self._said}
            await self._note("end", status=200, outcome=outcome, **counted)

    async def _whole(self, answer: Plan, fault: re.Match[str] | None) -> None:
        body = wire.whole(self._ask, answer, self._id, self._created)
        await asyncio.sleep(PAUSES.get(self._ask.model, 0) * len(answer.pieces))
        self._said = answer.output_tokens
        if fault is None:
            await self._note_end_early(answer)
            await _answer(self._send, 200, body)
            return
        if fault[1] == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if fault[1] == "error-event":
            await _answer(self._send, 200, wire.error_event("openai").removeprefix(b"data: "))
            return
        await _head(self._send, 200, b"application/json", len(body))
        await self._send({"type": "http.response.body", "body": body[:20], "more_body": True})
        await asyncio.sleep(0.01)
        self._cut()

    async def _note_end_early(self, answer: Plan) -> None:
        """The end of a whole answer is on disk before the answer is."""
        counted = {"input_tokens": answer.input_tokens, "output_tokens": self._said}
        await self._note("end", status=200, outcome="ok", **counted)

    async def _stream(self, answer: Plan, fault: re.Match[str] | None) -> None:
        await _head(self._send, 200, b"text/event-stream")
        stop_after = int(fault[2]) if fault else None
        pause = PAUSES.get(self._ask.model, 0)
        sent = 0
        for data in wire.pieces(self._ask, answer, self._id, self._created):
            is_said = b'"content":"' in data and b'"content":""' not in data
            is_said = is_said or b'"text_delta"' in data
            if stop_after is not None and is_said and sent == stop_after:
                await self._break(str(fault[1]) if fault else "")
                return
            if is_said:
                sent += 1
                self._said = sent * self._ask.answers
            if b'finish_reason":"' in data or b"message_delta" in data:
                self._said = answer.output_tokens
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            if pause:
                await asyncio.sleep(pause)
        await self._send({"type": "http.response.body", "body": b""})

    async def _break(self, kind: str) -> None:
        if kind == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if kind == "error-event":
            data = wire.error_event(self._ask.wire)
            await self._send({"type": "http.response.body", "body": data})
            return
        await asyncio.sleep(0.01)
        self._cut()


async def _read(receive: Any) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        parts.append(part)
        if not message.get("more_body") or size > BODY_BYTES_MAX:
            return b"".join(parts)


async def _head(send: Any, status: int, kind: bytes, size: int | None = None) -> None:
    headers = [(b"content-type", kind)]
    if size is not None:
        headers.append((b"content-length", str(size).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _answer(
    send: Any,
    status: int,
    body: bytes,
    headers: list[tuple[bytes, bytes]] | None = None,
    kind: bytes = b"application/json",
) -> None:
    named = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        *(headers or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m providers.simulator")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    listener = _listen(options.host, options.port, options.data / "simulator.json")
    closed = socket.socket()  # bound and never listening: whoever connects is refused
    closed.bind(("127.0.0.1", 0))
    known = {
        "url": f"http://{options.host}:{listener.getsockname()[1]}",
        "port": listener.getsockname()[1],
        "pid": os.getpid(),
        "refuse_port": closed.getsockname()[1],
    }
    journal = Journal(options.data / "simulator-journal.jsonl")
    config = uvicorn.Config(
        Simulator(journal),
        http=Protocol,
        lifespan="off",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    listener.listen(2048)
    draft = options.data / f"simulator.{os.getpid()}.draft"
    draft.write_text(json.dumps(known))
    os.replace(draft, options.data / "simulator.json")
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int, known: Path) -> socket.socket:
    """Bind the asked port; for 0, the port of the last run if it is free."""
    try:
        last = int(json.loads(known.read_text())["port"]) if port == 0 else port
    except (OSError, ValueError, KeyError):
        last = port
    for wanted in (last, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
        except OSError:
            listener.close()
            continue
        return listener
    raise SystemExit(f"port {port} is in use")


if __name__ == "__main__":
    main()
