"""Limits that cannot be overspent, through the front door, on both databases."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping

import httpx
import pytest

from tests.servers import Running, wait_until

SCALE = int(os.environ.get("SCALE", "1"))
HELLO = [{"role": "user", "content": "Hello"}]
WINDOW = (
    "SELECT spent_nanos, held_nanos, w.limit_nanos, over_nanos FROM budgets_window w "
    "JOIN budgets_budget b ON b.id = w.budget_id JOIN budgets_tenant t ON t.id = b.tenant_id "
    "WHERE t.external_id = '{0}'"
)
SQLITE_WATCH = """CREATE TRIGGER IF NOT EXISTS watch AFTER UPDATE ON budgets_window
    BEGIN INSERT INTO watched VALUES (NEW.id, NEW.spent_nanos, NEW.held_nanos, NEW.limit_nanos);
    END"""
POSTGRES_WATCH = """CREATE OR REPLACE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO watched VALUES (NEW.id, NEW.spent_nanos, NEW.held_nanos, NEW.limit_nanos);
    RETURN NULL; END $$"""


async def _calls(
    house: Running, key: str, count: int, body: Mapping[str, object]
) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=count)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=house.url, timeout=120, limits=limits, headers=headers
    ) as client:
        asked = [client.post("/v1/chat/completions", json=body) for _ in range(count)]
        return list(await asyncio.gather(*asked))


def _books_are_right(house: Running) -> None:
    assert "intact" in house.manage("audit", "verify")
    assert "0 differences" in house.manage("ledger", "check")


async def test_of_three_hundred_calls_at_once_a_budget_for_forty_admits_forty(
    house: Running,
) -> None:
    key = house.key("--tenant", "forty", "--rpm", "0")
    house.manage("budgets", "set", "--tenant", "forty", "--period", "day", "--limit", "4.00")

    answers = await _calls(house, key, 300, {"model": "sim-fixed", "messages": HELLO})

    assert Counter(answer.status_code for answer in answers) == {200: 40, 429: 260}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["code"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"
    assert house.rows(WINDOW.format("forty")) == [(4_000_000_000, 0, 4_000_000_000, 0)]
    _books_are_right(house)


async def test_at_every_commit_spent_and_held_together_stay_within_the_limit(
    house: Running,
) -> None:
    key = house.key("--tenant", "watched", "--rpm", "0")
    house.manage("budgets", "set", "--tenant", "watched", "--period", "day", "--limit", "0.02")
    _watch(house)
    body = {"model": "sim-echo", "messages": HELLO, "max_tokens": 1000}
    before = len(house.journal())

    answers = [answer for _ in range(3 * SCALE) for answer in await _calls(house, key, 100, body)]

    seen = house.rows("SELECT spent, held, most FROM watched WHERE spent + held > 0")
    assert len(seen) > 3
    assert all(spent + held <= most for spent, held, most in seen)
    status = Counter(answer.status_code for answer in answers)
    assert set(status) == {200, 429}, "some fit, and some did not while others were held"
    served = [call for call in house.journal()[before:] if call.status == 200]
    [(spent, held, limit, over)] = house.rows(WINDOW.format("watched"))
    assert (held, over) == (0, 0)
    assert len(served) == status[200]
    costs = [int(a.headers["x-tollgate-cost-nanos"]) for a in answers if a.status_code == 200]
    assert spent == sum(costs) <= limit
    _books_are_right(house)


def _watch(house: Running) -> None:
    """Record every state of a window that is ever committed."""
    columns = "(id BIGINT, spent BIGINT, held BIGINT, most BIGINT)"
    house.change(f"CREATE TABLE IF NOT EXISTS watched {columns}")
    if "DATABASE_URL" in house.environment:
        house.change(
            POSTGRES_WATCH,
            "CREATE TRIGGER watch AFTER UPDATE ON budgets_window "
            "FOR EACH ROW EXECUTE FUNCTION watch()",
        )
    else:
        house.change(SQLITE_WATCH)


async def test_a_limit_that_is_lowered_holds_for_the_next_call(house: Running) -> None:
    key = house.key("--tenant", "lowered", "--rpm", "0")
    budget = ("budgets", "set", "--tenant", "lowered", "--period", "month", "--limit")
    house.manage(*budget, "1.00")
    body = {"model": "sim-fixed", "messages": HELLO}
    assert [a.status_code for a in await _calls(house, key, 2, body)] == [200, 200]

    house.manage(*budget, "0.20")

    [refused] = await _calls(house, key, 1, body)
    assert refused.status_code == 429
    assert "$0.2" in refused.json()["error"]["message"]


@pytest.mark.parametrize("period", ["day", "month"])
async def test_a_keys_own_limit_holds_beside_the_tenants(house: Running, period: str) -> None:
    name = f"two-{period}"
    key, other = (house.key("--tenant", name, "--rpm", "0") for _ in range(2))
    house.manage("budgets", "set", "--tenant", name, "--period", period, "--limit", "0.30")
    limit = ("--key", key, "--period", period, "--limit", "0.10")
    house.manage("budgets", "set", "--tenant", name, *limit)
    body = {"model": "sim-fixed", "messages": HELLO}

    first = await _calls(house, key, 5, body)
    second = await _calls(house, other, 5, body)

    assert Counter(answer.status_code for answer in first) == {200: 1, 429: 4}
    assert Counter(answer.status_code for answer in second) == {200: 2, 429: 3}


async def test_the_rate_of_a_key_holds_across_processes(house: Running) -> None:
    key = house.key("--tenant", "rated", "--rpm", "60")

    answers = await _calls(house, key, 100, {"model": "sim-echo", "messages": HELLO})

    status = Counter(answer.status_code for answer in answers)
    assert 60 <= status[200] <= 75, "one burst, and what the seconds of the test have added"
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_a_call_that_must_be_counted_to_fit_takes_its_rate_once(house: Running) -> None:
    key = house.key("--tenant", "exact", "--rpm", "2")
    budget = ("budgets", "set", "--tenant", "exact", "--period", "day", "--limit")
    house.manage(*budget, "1.00")
    hello = {"model": "sim-echo", "messages": HELLO, "max_tokens": 10}
    # By its 3,900 bytes it might cost $0.000585, by its 900 tokens $0.00014.
    long = {**hello, "messages": [{"role": "user", "content": "Hello there! " * 300}]}
    [first] = await _calls(house, key, 1, hello)
    house.manage(*budget, "0.0003")  # of which a process that saw much more knows nothing yet

    [second] = await _calls(house, key, 1, long)

    assert [first.status_code, second.status_code] == [200, 200]
    _books_are_right(house)


async def test_what_fell_back_is_billed_for_both_attempts(house: Running) -> None:
    key = house.key("--tenant", "both", "--rpm", "0")
    targets = ("--target", "simulator/sim-garbage", "--target", "simulator/sim-fixed")
    house.manage("routes", "set", "both", *targets)

    [answer] = await _calls(house, key, 1, {"model": "both", "messages": HELLO})

    assert answer.status_code == 200
    query = (
        "SELECT call_no, model, outcome, basis, debit_nanos FROM budgets_posting p "
        "JOIN budgets_tenant t ON t.id = p.tenant_id WHERE t.external_id = 'both' ORDER BY call_no"
    )
    wait_until(lambda: len(house.rows(query)) == 2, 10)
    first, second = house.rows(query)
    assert first[:4] == (1, "sim-garbage", "unusable_answer", "uncertain")
    assert second == (2, "sim-fixed", "ok", "provider_usage", 100_000_000)
    assert int(answer.headers["x-tollgate-cost-nanos"]) == first[4] + second[4]
    _books_are_right(house)
