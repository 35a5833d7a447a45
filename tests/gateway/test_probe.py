"""The harmless question that a credential is tried with, against a provider of its own shape."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway_project import probe
from gateway_project.directory import DUMMY_KEY
from gateway_project.models import Credential

ASKED: list[tuple[str, str | None]] = []


class Lists(BaseHTTPRequestHandler):
    """A provider whose list of models is called `models`."""

    def do_GET(self) -> None:
        ASKED.append((self.path, self.headers.get("x-goog-api-key")))
        body = json.dumps({"models": [{"name": "models/a"}, {"name": "models/b"}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Lists)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_list_of_models_is_known_by_the_name_that_gemini_gives_it(address: str) -> None:
    ASKED.clear()

    result = probe.test(Credential(provider="gemini", base_url=address, sealed_key=b""))

    assert (result.ok, result.message) == (True, "The provider lists 2 models.")
    assert ASKED == [("/v1beta/models?pageSize=1000", DUMMY_KEY)]
