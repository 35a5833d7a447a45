"""Gateways as processes: they drain, refuse a second of their kind, and run on daphne too."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import openai
from openai.types.chat import ChatCompletionMessageParam

from tests import servers
from tests.servers import ROOT, Running, wait_until

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]


async def test_a_stopping_gateway_finishes_the_streams_that_it_has_begun(tmp_path: Path) -> None:
    house = servers.start(tmp_path)
    try:
        key = house.key("--tenant", "drained", "--rpm", "0")
        body = {"model": "sim-long", "messages": HELLO, "stream": True, "max_tokens": 100}
        headers = {"authorization": f"Bearer {key}"}

        async def stream() -> str:
            async with (
                httpx.AsyncClient(base_url=house.url, timeout=60) as client,
                client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as got,
            ):
                return "".join([piece async for piece in got.aiter_text()])

        streams = [asyncio.create_task(stream()) for _ in range(5)]
        await asyncio.to_thread(wait_until, lambda: len(house.journal()) == 5, 20)
        assert house.gateway is not None
        house.gateway.terminate()
        answers = await asyncio.gather(*streams)

        assert all(answer.rstrip().endswith("data: [DONE]") for answer in answers)
        await asyncio.to_thread(house.gateway.wait, 60)
        assert house.gateway.returncode in {0, -signal.SIGTERM}
        assert house.rows("SELECT count(*) FROM budgets_hold") == [(0,)]
        assert house.rows("SELECT count(*) FROM budgets_posting") == [(5,)]
    finally:
        house.stop()


def _serve(house: Running, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "serve", *words],
        cwd=ROOT,
        env={**house.environment, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_gateway_on_the_same_sqlite_file_is_refused(running: Running) -> None:
    refused = _serve(running, PORT=str(servers.free_port()))

    assert refused.returncode == 1
    assert "SQLite serves one" in refused.stderr


def test_several_workers_on_sqlite_are_refused(running: Running) -> None:
    refused = _serve(running, "--workers", "2", PORT=str(servers.free_port()))

    assert refused.returncode == 1
    assert "PostgreSQL" in refused.stderr


def test_a_port_that_is_taken_is_named(running: Running, tmp_path: Path) -> None:
    refused = _serve(running, TOLLGATE_DATA=str(tmp_path))

    assert refused.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{running.port}" in refused.stderr


def test_a_wrong_setting_stops_the_start_with_the_reason(running: Running) -> None:
    refused = _serve(running, TOLLGATE_TOKEN_LIMIT="many")

    assert refused.returncode != 0
    assert "TOLLGATE_TOKEN_LIMIT must be a whole number" in refused.stderr


def test_the_doctor_finds_a_sound_house_sound(running: Running) -> None:
    said = running.manage("doctor")

    assert "failed" not in said
    assert "ledger and chain are guarded" in said


def test_the_doctor_names_a_missing_trigger(running: Running) -> None:
    [(text,)] = running.rows("SELECT sql FROM sqlite_master WHERE name = 'budgets_posting_update'")
    running.change("DROP TRIGGER budgets_posting_update")

    said = running.manage("doctor", status=1)

    running.change(text)
    assert "missing triggers: budgets_posting_update" in said


def test_secrets_are_readable_by_their_owner_only(running: Running) -> None:
    assert (running.data / "secrets.json").stat().st_mode & 0o077 == 0


def test_daphne_serves_the_same_doors(tmp_path: Path) -> None:
    house = servers.start(tmp_path)
    assert house.gateway is not None
    house.gateway.terminate()
    house.gateway.wait(60)
    port = servers.free_port()
    key = house.key("--tenant", "daphne", "--rpm", "0")
    place = ["-b", "127.0.0.1", "-p", str(port)]
    command = [sys.executable, "-m", "daphne", *place, "gateway_project.asgi:application"]
    environment = {**house.environment, "DJANGO_SETTINGS_MODULE": "gateway_project.settings"}
    with Path(os.devnull).open("w") as out:
        daphne = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(url), 60)
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        whole = client.chat.completions.create(model="sim-echo", messages=HELLO)
        pieces = client.chat.completions.create(model="sim-echo", messages=HELLO, stream=True)
        streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces)
        chat = httpx.post(
            f"{url}/api/chat",
            json={"model": "sim-echo", "messages": HELLO},
            headers={"authorization": f"Bearer {key}"},
        )
        refused = httpx.post(f"{url}/v1/chat/completions", json={})
    finally:
        daphne.terminate()
        daphne.wait(60)
        house.stop()

    assert whole.choices[0].message.content == streamed == chat.json()["content"] == "Hello"
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
