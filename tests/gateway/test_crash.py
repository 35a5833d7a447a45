"""What a crash or a hang-up leaves behind: every call that was served is billed, once."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import httpx
import pytest

from tests.servers import Running, wait_until

SCALE = int(os.environ.get("SCALE", "1"))
HELLO = [{"role": "user", "content": "Hello"}]
POSTED = (
    "SELECT attempt, output_tokens FROM budgets_posting p JOIN budgets_tenant t "
    "ON t.id = p.tenant_id WHERE t.external_id = '{0}'"
)


async def test_a_killed_gateway_loses_no_stream_and_bills_none_twice(house: Running) -> None:
    key = house.key("--tenant", "killed", "--rpm", "0")
    count = 50 * SCALE
    before = len(house.journal())

    async def stream(client: httpx.AsyncClient) -> None:
        body = {"model": "sim-long", "messages": HELLO, "stream": True, "max_tokens": 300}
        headers = {"authorization": f"Bearer {key}"}
        url = "/v1/chat/completions"
        async with client.stream("POST", url, headers=headers, json=body) as answer:
            async for _ in answer.aiter_bytes():
                pass

    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(base_url=house.url, timeout=60, limits=limits) as client:
        streams = [asyncio.create_task(stream(client)) for _ in range(count)]
        await asyncio.to_thread(wait_until, lambda: len(house.journal()) >= before + count, 30.0)
        house.kill()
        await asyncio.gather(*streams, return_exceptions=True)
    house.start()
    await asyncio.to_thread(
        wait_until, lambda: house.rows("SELECT count(*) FROM budgets_hold") == [(0,)], 30.0
    )

    served = Counter(call.attempt for call in house.journal()[before:])
    posted = Counter(row[0] for row in house.rows(POSTED.format("killed")))
    assert len(served) == count
    assert posted == served
    assert "intact" in house.manage("audit", "verify")
    assert "0 differences" in house.manage("ledger", "check")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("door", ["/v1/chat/completions", "/api/chat"])
def test_a_caller_who_hangs_up_is_billed_what_was_produced(
    running: Running, door: str, stream: bool
) -> None:
    tenant = f"gone-{'stream' if stream else 'whole'}-{door.strip('/').replace('/', '-')}"
    key = running.key("--tenant", tenant, "--rpm", "0")
    before = len(running.journal())

    _hang_up(running, key, door, stream)

    wait_until(lambda: len(running.rows(POSTED.format(tenant))) == 1, 30.0)
    [(attempt, tokens)] = running.rows(POSTED.format(tenant))
    [call] = [call for call in running.journal()[before:] if call.attempt == attempt]
    assert (tokens, call.output_tokens) == (100, 100)


def _hang_up(running: Running, key: str, door: str, stream: bool) -> None:
    """Leave after the first bytes of a stream, or while a whole answer is being made."""
    body: dict[str, object] = {"model": "sim-long", "messages": HELLO, "max_tokens": 100}
    if stream and door == "/api/chat":
        door = "/api/chat/stream"
    elif stream:
        body["stream"] = True
    headers = {"authorization": f"Bearer {key}"}
    before = len(running.journal())
    timeout = httpx.Timeout(10, read=0.5 if not stream else 10)
    with httpx.Client(base_url=running.url, timeout=timeout) as client:
        try:
            with client.stream("POST", door, headers=headers, json=body) as answer:
                assert stream, (
                    "a whole answer of 100 slow tokens takes longer than the caller waits"
                )
                next(answer.iter_bytes())
        except httpx.ReadTimeout:
            assert not stream
    wait_until(lambda: len(running.journal()) > before, 10.0)
