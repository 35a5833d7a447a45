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
SCRIPT = f"""
import json, sys
import gateway_project.asgi
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def test_a_worker_that_serves_calls_does_not_load_the_pages(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**environment, "TOLLGATE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == []


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
