"""The worker's tasks: run twice, late or in the middle of traffic, the figures are the same."""

from __future__ import annotations

import httpx

from tests.servers import Running

HELLO = {"model": "sim-fixed", "messages": [{"role": "user", "content": "Hi"}]}
ROLLED = (
    "SELECT sum(attempts), sum(debit_nanos) FROM budgets_dailyspend WHERE tenant_id = "
    "(SELECT id FROM budgets_tenant WHERE external_id = 'rolled')"
)


def work(house: Running, task: str) -> None:
    house.manage("shell", "-v", "0", "-c", f"from budgets import tasks; tasks.{task}()")


def call(house: Running, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.post(f"{house.url}/v1/chat/completions", headers=headers, json=HELLO)
    assert answer.status_code == 200


def test_rolling_up_twice_counts_every_posting_once(house: Running) -> None:
    key = house.key("--tenant", "rolled", "--rpm", "0")
    for expected in (3, 6):
        for _ in range(3):
            call(house, key)

        work(house, "roll_up")
        work(house, "roll_up")

        [(attempts, debit)] = house.rows(ROLLED)
        assert (int(attempts), int(debit)) == (expected, expected * 100_000_000)
    assert "0 differences" in house.manage("ledger", "check")


def test_a_rollup_that_was_changed_is_named_by_the_check(house: Running) -> None:
    call(house, house.key("--tenant", "forged", "--rpm", "0"))
    work(house, "roll_up")
    house.change("UPDATE budgets_dailyspend SET debit_nanos = debit_nanos + 1")

    said = house.manage("ledger", "check", status=1)

    house.change("UPDATE budgets_dailyspend SET debit_nanos = debit_nanos - 1")
    assert "rollup of tenant" in said


def test_a_window_that_was_changed_is_named_by_the_check(house: Running) -> None:
    key = house.key("--tenant", "skewed", "--rpm", "0")
    house.manage("budgets", "set", "--tenant", "skewed", "--period", "day", "--limit", "9")
    call(house, key)
    of_skewed = (
        "WHERE budget_id IN (SELECT b.id FROM budgets_budget b JOIN budgets_tenant t "
        "ON t.id = b.tenant_id WHERE t.external_id = 'skewed')"
    )
    house.change(f"UPDATE budgets_window SET spent_nanos = spent_nanos - 1 {of_skewed}")

    said = house.manage("ledger", "check", status=1)

    house.change(f"UPDATE budgets_window SET spent_nanos = spent_nanos + 1 {of_skewed}")
    assert "spent: expected 100000000, found 99999999" in said


def test_opening_the_next_windows_again_changes_nothing(house: Running) -> None:
    count = "SELECT count(*), sum(spent_nanos) FROM budgets_window"
    work(house, "open_next_windows")
    before = house.rows(count)

    work(house, "open_next_windows")

    assert house.rows(count) == before
