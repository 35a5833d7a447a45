"""A real HTTP server that answers what a test wrote down, and keeps what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Script:
    """`answers` are given in order, the last one for ever: (status, document, headers)."""

    url: str = ""
    answers: list[tuple[int, Any, Mapping[str, str]]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def say(self, status: int, document: Any, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, document, named))


def chat(content: str = "hello", **fields: Any) -> dict[str, Any]:
    """An answer in OpenAI's shape."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100},
        **fields,
    }


def error(message: str, code: str | None = None, kind: str = "x") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@contextmanager
def running() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.received.append(Received(self.path, headers, json.loads(body)))
            answers = script.answers
            status, document, named = answers.pop(0) if len(answers) > 1 else answers[0]
            is_text = isinstance(document, str)
            data = document.encode() if is_text else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **named}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
