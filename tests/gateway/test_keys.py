"""A key works on the very next call, and no longer than a second after it is revoked."""

from __future__ import annotations

import os
import time

import httpx

from tests.servers import Running

TRIALS = 4 * int(os.environ.get("SCALE", "1"))
HELLO = {"model": "sim-echo", "messages": [{"role": "user", "content": "Hi"}]}


def call(house: Running, key: str) -> int:
    """Over a new connection each time, so that every process gets its turn."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{house.url}/v1/chat/completions", headers=headers, json=HELLO).status_code


def test_a_new_key_works_at_once_and_a_revoked_one_not_for_more_than_a_second(
    house: Running,
) -> None:
    for _ in range(TRIALS):
        key = house.key("--tenant", "turnstile", "--rpm", "0")
        assert {call(house, key) for _ in range(6)} == {200}

        house.manage("keys", "revoke", key)
        time.sleep(1)

        assert {call(house, key) for _ in range(6)} == {401}
