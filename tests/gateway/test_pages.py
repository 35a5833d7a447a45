"""Pages over a real gateway: what a call cost, written out, and a chain that was tampered with."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests import servers

COLLECTED_SECONDS = 10.0


@pytest.fixture(scope="module")
def acme(running: servers.Running) -> str:
    """An API key of a tenant `acme`."""
    return running.key("--tenant", "acme")


def browser(running: servers.Running, name: str, role: str, tenant: str = "") -> httpx.Client:
    cookie = running.session(name, role, tenant).splitlines()[-1]
    return httpx.Client(base_url=running.url, headers={"cookie": cookie}, timeout=30)


def verified(page: httpx.Client) -> list[dict[str, Any]]:
    """Every line that the check has written."""
    loaded = page.get("/audit/")
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', loaded.text)[:1]
    cookie = loaded.headers["set-cookie"].partition(";")[0]
    headers = {"cookie": f"{page.headers['cookie']}; {cookie}", "x-csrftoken": token}
    answer = page.post("/audit/verify/", headers={**headers, "referer": str(page.base_url)})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def called(running: servers.Running, key: str, model: str) -> str:
    """The id of a call that is in the log."""
    answer = httpx.post(
        f"{running.url}/v1/chat/completions",
        headers={"authorization": f"Bearer {key}"},
        json={"model": model, "messages": [{"role": "user", "content": "How much is this?"}]},
        timeout=30,
    )
    call = answer.headers["x-tollgate-call"]
    query = f"SELECT 1 FROM gateway_loggedcall WHERE call = '{call}'"
    servers.wait_until(lambda: running.rows(query), COLLECTED_SECONDS)
    return call


def test_what_a_call_cost_is_written_out_and_equals_the_ledger(
    running: servers.Running, acme: str
) -> None:
    call = called(running, acme, "sim-echo")

    with browser(running, "ann", "owner") as page:
        shown = page.get(f"/requests/{call}/").text

    assert "× $0.15 / M" in shown
    assert "The ledger charged exactly this." in shown
    assert "audit entry" in shown


def test_the_check_tells_how_far_it_is_and_names_the_entry_that_was_changed(
    running: servers.Running, acme: str
) -> None:
    called(running, acme, "sim-fixed")
    [[tenant]] = running.rows("SELECT id FROM budgets_tenant WHERE external_id = 'acme'")
    running.key("--tenant", "globex")

    with browser(running, "bea", "owner") as page:
        before = verified(page)
        running.change(
            "DROP TRIGGER audit_entry_update",
            f"UPDATE audit_entry SET body = x'7b7d' WHERE tenant = {tenant} AND seq = 1",
        )
        after = verified(page)
    with browser(running, "cid", "auditor", "globex") as page:
        elsewhere = verified(page)

    assert before[0]["state"] == "running"
    assert before[-2]["checked"] == before[-2]["total"] > 0
    assert before[-1]["state"] == "intact"
    assert after[-1]["state"] == "broken"
    [bad] = after[-1]["bad"]
    assert (bad["chain"], bad["seq"]) == ("acme", 1)
    assert "hash" in bad["reason"]
    assert elsewhere[-1]["state"] == "intact"
    assert elsewhere[-1]["chains"] == 1
