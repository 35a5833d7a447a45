"""A key works on the very next call, and no longer than a second after it is revoked."""

from __future__ import annotations

import os
import time

import httpx

from tests.servers import Running

SCALE = int(os.environ.get("SCALE", "1"))
TRIALS = 2 * SCALE
REST_TRIALS = 10 * SCALE
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


def rest(house: Running, token: str, method: str, path: str, body: object = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.request(method, f"{house.url}/api/{path}", headers=headers, json=body, timeout=30)


def test_a_key_made_over_rest_works_at_once_and_a_revoked_one_not_for_more_than_a_second(
    house: Running,
) -> None:
    token = house.token()
    tenant = {"external_id": "rest-turnstile", "name": "Turnstile"}
    assert rest(house, token, "POST", "tenants", tenant).status_code == 201
    for _ in range(REST_TRIALS):
        wanted = {"tenant": "rest-turnstile", "name": "trial", "requests_per_minute": None}
        made = rest(house, token, "POST", "keys", wanted).json()
        assert {call(house, made["key"]) for _ in range(6)} == {200}

        assert rest(house, token, "POST", f"keys/{made['id']}/revoke").status_code == 200
        time.sleep(1)

        assert {call(house, made["key"]) for _ in range(6)} == {401}
