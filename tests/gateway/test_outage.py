"""A database that ends connections in the middle of anything: no call is lost or billed twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests import databases, servers
from tests.servers import Running, wait_until

CALLERS, CALLS, CUTS = 24, 25, 40
POSTED = (
    "SELECT p.attempt, p.call FROM budgets_posting p JOIN budgets_tenant t "
    "ON t.id = p.tenant_id WHERE t.external_id = 'cut' AND p.no = 0"
)
CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def url(postgres: str) -> Iterator[str]:
    with databases.database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def two(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = servers.start(tmp_path_factory.mktemp("data"), workers=2, DATABASE_URL=url)
    yield started
    started.stop()


async def cut(url: str, is_over: asyncio.Event) -> int:
    """End every connection to the database again and again; returns how many were ended."""
    ended = 0
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(CUTS):
            row = await (await connection.execute(CUT)).fetchone()
            ended += row[0] if row else 0
            if is_over.is_set():
                break
            await asyncio.sleep(0.15)
    return ended


async def call(client: httpx.AsyncClient, *, is_stream: bool) -> tuple[int, str, str]:
    """(status, the call's id, what an error says)."""
    body = {
        "model": "sim-echo",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": is_stream,
    }
    answer = await client.post("/v1/chat/completions", json=body)
    if answer.status_code != 200:
        return answer.status_code, "", answer.json()["error"]["code"]
    if is_stream:
        assert answer.text.endswith("data: [DONE]\n\n")
    return 200, answer.headers["x-tollgate-call"], ""


async def test_connections_that_end_anywhere_lose_no_call_and_bill_none_twice(
    two: Running, url: str
) -> None:
    key = two.key("--tenant", "cut", "--rpm", "0")
    before = len(two.journal())
    is_over = asyncio.Event()

    async def stranger(client: httpx.AsyncClient) -> set[int]:
        """Keys that nobody knows have to be looked up: who is away says so, and lets nobody in."""
        statuses = set()
        for at in range(60):
            named = {"authorization": f"Bearer tg_nobody{at}"}
            answer = await client.get("/v1/models", headers=named)
            statuses.add(answer.status_code)
            await asyncio.sleep(0.05)
        return statuses

    async def caller(client: httpx.AsyncClient, is_stream: bool) -> list[tuple[int, str, str]]:
        return [await call(client, is_stream=is_stream) for _ in range(CALLS)]

    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=two.url, timeout=60, headers=headers) as client:
        cutting = asyncio.create_task(cut(url, is_over))
        asking = asyncio.create_task(stranger(client))
        found = await asyncio.gather(*[caller(client, at % 2 == 0) for at in range(CALLERS)])
        assert await asking <= {401, 503}
        is_over.set()
        ended = await cutting
    answers = [answer for each in found for answer in each]

    assert ended > 10, "the database has hardly been cut off"
    seen = Counter((status, code) for status, _, code in answers)
    away = {(503, "ledger_unavailable"), (503, "directory_unavailable")}
    assert set(seen) <= {(200, ""), *away}, seen
    await asyncio.to_thread(
        wait_until, lambda: two.rows("SELECT count(*) FROM budgets_hold") == [(0,)], 60.0
    )
    rows = two.rows(POSTED)
    assert Counter(row[0] for row in rows) == Counter(
        each.attempt for each in two.journal()[before:]
    )
    assert {call for status, call, _ in answers if status == 200} <= {row[1] for row in rows}
    assert "intact" in two.manage("audit", "verify")
    assert "0 differences" in two.manage("ledger", "check")
