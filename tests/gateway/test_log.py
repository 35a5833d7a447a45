"""The request log: a line for every call and refusal, no bodies, and an end to old lines."""

from __future__ import annotations

import httpx

from gateway_project.call_log import CallLog, Line
from gateway_project.facts import Labels
from tests.servers import Running, wait_until

HELLO = {"model": "sim-echo", "messages": [{"role": "user", "content": "a secret prompt"}]}
LINES = (
    "SELECT model, status, code, count, end_user, tags, first_milliseconds IS NULL, attempts "
    "FROM gateway_loggedcall c JOIN budgets_tenant t ON t.id = c.tenant_id "
    "WHERE t.external_id = '{0}' ORDER BY c.is_stream, c.id"
)
POSTED = (
    "SELECT end_user, tags FROM budgets_posting p JOIN budgets_tenant t ON t.id = p.tenant_id "
    "WHERE t.external_id = '{0}'"
)


def call(house: Running, key: str, **body: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}", "x-tollgate-tags": "team=search, env=prod"}
    return httpx.post(
        f"{house.url}/v1/chat/completions", headers=headers, json={**HELLO, **body}, timeout=30
    )


def test_a_call_leaves_a_line_with_its_labels_and_without_its_words(house: Running) -> None:
    key = house.key("--tenant", "lined")
    assert call(house, key, user="ann").status_code == 200
    assert call(house, key, user="ann", stream=True).status_code == 200

    wait_until(lambda: len(house.rows(LINES.format("lined"))) == 2, 10)
    whole, streamed = house.rows(LINES.format("lined"))

    assert whole[:6] == ("sim-echo", 200, "", 1, "ann", "env=prod,team=search")
    assert (bool(whole[6]), bool(streamed[6])) == (True, False), "only a stream has a first chunk"
    assert house.rows(POSTED.format("lined")) == [("ann", "env=prod,team=search")] * 2
    assert "secret" not in str(house.rows("SELECT * FROM gateway_loggedcall"))
    assert "intact" in house.manage("audit", "verify")


def test_many_refusals_of_one_kind_are_one_line_a_minute(house: Running) -> None:
    key = house.key("--tenant", "refused", "--models", "gpt-*", "--rpm", "0")

    assert {call(house, key).status_code for _ in range(20)} == {403}

    def counted() -> int:
        return sum(int(row[3]) for row in house.rows(LINES.format("refused")))

    wait_until(lambda: counted() == 20, 10)
    rows = house.rows(LINES.format("refused"))
    assert 1 <= len(rows) <= 2, "the minute may end in between"
    assert rows[0][1:3] == (403, "model_not_allowed")


def test_both_attempts_of_a_call_that_fell_back_are_in_its_line(house: Running) -> None:
    key = house.key("--tenant", "twofold")
    targets = ("--target", "simulator/sim-500", "--target", "simulator/sim-echo")
    house.manage("routes", "set", "twofold", *targets)

    assert call(house, key, model="twofold").status_code == 200

    wait_until(lambda: len(house.rows(LINES.format("twofold"))) == 1, 10)
    [line] = house.rows(LINES.format("twofold"))
    assert line[0] == "twofold"
    assert len(line[7].split(",")) == 2


def test_a_bad_tag_is_refused_by_name(house: Running) -> None:
    key = house.key("--tenant", "mistagged")
    headers = {"authorization": f"Bearer {key}", "x-tollgate-tags": "no equals sign"}

    answer = httpx.post(f"{house.url}/v1/chat/completions", headers=headers, json=HELLO)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "x-tollgate-tags"


def test_a_line_that_a_killed_process_owed_is_made_up_from_the_books(house: Running) -> None:
    key = house.key("--tenant", "owed")
    assert call(house, key).status_code == 200
    wait_until(lambda: len(house.rows(LINES.format("owed"))) == 1, 10)
    house.change("DELETE FROM gateway_loggedcall", "DELETE FROM gateway_logmark")

    work = "from gateway_project import log_upkeep as l; print(l.catch_up({}))"
    far = 2**60
    made = house.manage("shell", "-v", "0", "-c", work.format(far))
    again = house.manage("shell", "-v", "0", "-c", work.format(far))

    assert int(made) >= 1
    assert again == "0"
    [line] = house.rows(LINES.format("owed"))
    assert line[:4] == ("sim-echo", 200, "", 1)


def test_old_lines_end_and_the_books_stay(house: Running) -> None:
    key = house.key("--tenant", "old")
    assert call(house, key).status_code == 200
    wait_until(lambda: len(house.rows(LINES.format("old"))) == 1, 10)
    house.change("UPDATE budgets_tenant SET retention_days = 30 WHERE external_id = 'old'")
    work = "import time; from gateway_project import log_upkeep as l; l.prune({})"
    days = "time.time_ns() // 1000 + {} * l.DAY_US"

    house.manage("shell", "-v", "0", "-c", work.format(days.format(29)))
    kept = len(house.rows(LINES.format("old")))
    house.manage("shell", "-v", "0", "-c", work.format(days.format(31)))

    assert kept == 1
    assert house.rows(LINES.format("old")) == []
    assert len(house.rows(POSTED.format("old"))) == 1


def line(call: str, count: int = 1) -> Line:
    return Line(call, 1, 1, "sim-echo", Labels(), 0, False, count=count)


def test_lines_that_could_not_be_written_are_kept_for_the_next_time() -> None:
    log = CallLog()
    log.put_back([line("first"), line("second")], [line("refused", 2)])

    log.put_back([line("before")], [line("refused", 3)])
    calls, refused = log.take()

    assert [each.call for each in calls] == ["before", "first", "second"]
    assert [(each.call, each.count) for each in refused] == [("refused", 5)]
    assert log.take() == ([], [])
