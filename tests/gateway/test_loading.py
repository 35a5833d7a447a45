"""What a worker loads: for calls alone, neither pages nor what only pages need."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway_project import asgi
from tests.servers import ROOT

HEAVY = (
    "rest_framework.serializers",
    "django_tables2",
    "httpx",
    "psycopg",
    "xlsxwriter",
    "allauth.account.views",
)
LOADED = f"""
import json, sys
import gateway_project.asgi
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
SERVED = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "gateway_project.settings"
import django
django.setup()
import uvicorn
from gateway_project.management.commands import serve
protocols = []

class Server(uvicorn.Server):
    def run(self, sockets):
        from uvicorn.server import ServerState
        self.config.load()
        made = self.config.http_protocol_class(self.config, ServerState(), {}, _loop=object())
        protocols.append(made)

uvicorn.Server = Server
serve.serve(None)
print(json.dumps([each.access_log for each in protocols]))
"""


def said(script: str, data: Path) -> Any:
    """What a script prints in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**environment, "TOLLGATE_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_worker_that_serves_calls_does_not_load_the_pages(tmp_path: Path) -> None:
    assert said(LOADED, tmp_path) == []


def test_the_server_makes_no_access_lines_beside_our_own(tmp_path: Path) -> None:
    """They would go nowhere, and cost each answer its caller's address and its path once more."""
    assert said(SERVED, tmp_path) == [False]


async def test_pages_that_many_ask_for_at_once_are_loaded_once_and_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story: list[str] = []
    both_ask = threading.Event()

    def load() -> None:
        assert both_ask.wait(10)
        story.append("loaded")

    async def django(scope: Any, receive: Any, send: Any) -> None:
        story.append(scope["path"])

    monkeypatch.setattr(asgi, "_load", load)
    monkeypatch.setattr(asgi, "django_application", django)
    pages = asgi.Pages()
    asked = [asyncio.create_task(pages({"path": path}, None, None)) for path in ("/", "/login")]
    await asyncio.sleep(0)
    both_ask.set()
    await asyncio.gather(*asked)
    await pages({"path": "/keys"}, None, None)
    assert story == ["loaded", "/", "/login", "/keys"]
