"""A gateway that looks lived in: two tenants, keys, limits, calls that went well and ones that did
not, made through the front door as anyone would."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tests.servers import Running, wait_until

HELLO = [{"role": "user", "content": "How long is the coast of Norway?"}]


@dataclass
class Scenery:
    cookie: str
    token: str
    key: str


def rest(house: Running, token: str, method: str, path: str, body: object = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx.request(method, f"{house.url}/api/{path}", headers=headers, json=body)
    assert answer.status_code < 300, answer.text
    return answer


def call(house: Running, key: str, model: str = "sim-echo", **more: object) -> int:
    headers = {"authorization": f"Bearer {key}", "x-tollgate-tags": "env=prod,team=search"}
    body = {"model": model, "messages": HELLO, "user": "ann@example.com", **more}
    url = f"{house.url}/v1/chat/completions"
    return httpx.post(url, headers=headers, json=body, timeout=30).status_code


def paint(house: Running) -> Scenery:
    token = house.token()
    acme = {"external_id": "acme", "name": "Acme Research", "zone": "Europe/Amsterdam"}
    rest(house, token, "POST", "tenants", acme)
    rest(house, token, "POST", "tenants", {"external_id": "globex", "name": "Globex"})
    for tenant, day, month in (("acme", "1.00", "20.00"), ("globex", "0.50", "5.00")):
        rest(house, token, "PUT", f"tenants/{tenant}/budgets/day", {"limit": day})
        rest(house, token, "PUT", f"tenants/{tenant}/budgets/month", {"limit": month})
    keys = [_key(house, token, "acme", "search"), _key(house, token, "globex", "assistant")]
    targets = [
        {"provider": "simulator", "model": "sim-500"},
        {"provider": "simulator-anthropic", "model": "sim-echo"},
    ]
    rest(house, token, "PUT", "routes/fast", {"targets": targets})
    own = {"provider": "simulator", "base_url": "http://127.0.0.1:9/v1", "secret": "not-a-secret"}
    rest(house, token, "PUT", "credentials/spare", own)
    rates = {"input_mtok": "1.25", "cache_read_mtok": "0.125", "output_mtok": "10"}
    override = {"provider": "simulator", "model": "sim-own", "rates": rates}
    rest(house, token, "POST", "prices", override)
    done = [call(house, keys[0], model) for model in ("sim-echo", "sim-fixed", "fast", "sim-fixed")]
    done += [call(house, keys[0], "sim-echo", stream=True)]
    done += [call(house, keys[1], "sim-fixed") for _ in range(7)]
    done += [call(house, keys[0], "no-such-model")]
    assert sorted(set(done)) == [200, 404, 429]
    lines = "SELECT count(*) FROM gateway_loggedcall"
    wait_until(lambda: house.rows(lines)[0][0] >= 9, 10)
    return Scenery(house.session("alice"), token, keys[0])


def _key(house: Running, token: str, tenant: str, name: str) -> str:
    wanted = {"tenant": tenant, "name": name, "requests_per_minute": None}
    return str(rest(house, token, "POST", "keys", wanted).json()["key"])
