"""Limits that cannot be overspent and bills that a crash cannot lose, through the front door."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter

import httpx

from tests.servers import Running, wait_until

HELLO = [{"role": "user", "content": "Hello"}]


def _row(running: Running, query: str) -> tuple[int, ...]:
    with sqlite3.connect(running.data / "tollgate.sqlite3") as connection:
        row: tuple[int, ...] = connection.execute(query).fetchone()
    return row


async def _calls(running: Running, key: str, count: int, model: str) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(base_url=running.url, timeout=120, limits=limits) as client:
        headers = {"authorization": f"Bearer {key}"}
        body = {"model": model, "messages": HELLO}
        call = [
            client.post("/v1/chat/completions", headers=headers, json=body) for _ in range(count)
        ]
        return list(await asyncio.gather(*call))


async def test_of_three_hundred_calls_at_once_a_budget_for_forty_admits_forty(
    running: Running,
) -> None:
    key = running.key("--tenant", "forty", "--rpm", "0")
    running.manage("budgets", "set", "--tenant", "forty", "--period", "day", "--limit", "4.00")

    answers = await _calls(running, key, 300, "sim-fixed")

    assert Counter(answer.status_code for answer in answers) == {200: 40, 429: 260}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["code"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"
    spent, held, limit = _row(
        running,
        "SELECT spent_nanos, held_nanos, w.limit_nanos FROM budgets_window w "
        "JOIN budgets_budget b ON b.id = w.budget_id "
        "JOIN budgets_tenant t ON t.id = b.tenant_id WHERE t.external_id = 'forty'",
    )
    assert (spent, held, limit) == (4_000_000_000, 0, 4_000_000_000)
    assert "intact" in running.manage("audit", "verify")
    assert "0 differences" in running.manage("ledger", "check")


async def test_a_killed_gateway_loses_no_stream_and_bills_none_twice(running: Running) -> None:
    key = running.key("--tenant", "killed", "--rpm", "0")

    async def stream(client: httpx.AsyncClient) -> None:
        body = {"model": "sim-long", "messages": HELLO, "stream": True, "max_tokens": 300}
        headers = {"authorization": f"Bearer {key}"}
        async with client.stream(
            "POST", "/v1/chat/completions", headers=headers, json=body
        ) as answer:
            async for _ in answer.aiter_bytes():
                pass

    before = len(running.journal())
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(base_url=running.url, timeout=60, limits=limits) as client:
        streams = [asyncio.create_task(stream(client)) for _ in range(50)]
        await asyncio.to_thread(wait_until, lambda: len(running.journal()) >= before + 50, 30.0)
        running.kill()
        await asyncio.gather(*streams, return_exceptions=True)
    running.start()
    await asyncio.to_thread(
        wait_until, lambda: _row(running, "SELECT count(*) FROM budgets_hold") == (0,), 30.0
    )

    served = Counter(call.attempt for call in running.journal()[before:])
    with sqlite3.connect(running.data / "tollgate.sqlite3") as connection:
        posted = Counter(
            row[0]
            for row in connection.execute(
                "SELECT attempt FROM budgets_posting p JOIN budgets_tenant t "
                "ON t.id = p.tenant_id WHERE t.external_id = 'killed'"
            )
        )
    assert len(served) == 50
    assert posted == served
    assert "intact" in running.manage("audit", "verify")
    assert "0 differences" in running.manage("ledger", "check")


def test_a_stream_whose_caller_hangs_up_is_billed_what_was_produced(running: Running) -> None:
    key = running.key("--tenant", "gone", "--rpm", "0")
    before = len(running.journal())

    body = {"model": "sim-long", "messages": HELLO, "stream": True, "max_tokens": 100}
    headers = {"authorization": f"Bearer {key}"}
    with (
        httpx.Client(base_url=running.url) as client,
        client.stream("POST", "/v1/chat/completions", headers=headers, json=body) as answer,
    ):
        next(answer.iter_bytes())

    query = (
        "SELECT count(*), sum(output_tokens) FROM budgets_posting p JOIN budgets_tenant t "
        "ON t.id = p.tenant_id WHERE t.external_id = 'gone'"
    )
    wait_until(lambda: _row(running, query)[0] == 1, 30.0)
    assert _row(running, query) == (1, 100)
    assert [call.output_tokens for call in running.journal()[before:]] == [100]


def test_a_changed_byte_of_the_chain_is_found_and_named(running: Running) -> None:
    running.key("--tenant", "tampered")
    path = running.data / "tollgate.sqlite3"
    with sqlite3.connect(path, timeout=20) as connection:
        (tenant,) = connection.execute(
            "SELECT id FROM budgets_tenant WHERE external_id = 'tampered'"
        ).fetchone()
        connection.execute("DROP TRIGGER audit_entry_update")
        (body,) = connection.execute(
            "SELECT body FROM audit_entry WHERE tenant = ? AND seq = 1", (tenant,)
        ).fetchone()
        changed = body.replace(b"tenant.create", b"tenant.creatE")
        connection.execute(
            "UPDATE audit_entry SET body = ? WHERE tenant = ? AND seq = 1", (changed, tenant)
        )

    said = running.manage("audit", "verify", status=1)

    assert f"tenant {tenant}, entry 1:" in said
    with sqlite3.connect(path, timeout=20) as connection:
        connection.execute(
            "UPDATE audit_entry SET body = ? WHERE tenant = ? AND seq = 1", (body, tenant)
        )
        connection.execute(
            "CREATE TRIGGER audit_entry_update BEFORE UPDATE ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END"
        )
    assert "intact" in running.manage("audit", "verify")
