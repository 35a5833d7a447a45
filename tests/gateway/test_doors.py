"""Every door, as a script would use it: whole, streamed, refused, and after a provider failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers import Running, wait_until

DOOR = "/v1/chat/completions"
HELLO: dict[str, Any] = {"model": "sim-echo", "messages": [{"role": "user", "content": "Hi you"}]}


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {running.key('--tenant', 'doors', '--rpm', '0')}"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=30) as made:
        yield made


def events(client: httpx.Client, door: str, body: dict[str, Any]) -> list[Any]:
    """The data of every event of a stream, JSON read, `[DONE]` as it is."""
    with client.stream("POST", door, json=body) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    return [text if text == "[DONE]" else json.loads(text) for text in (line[6:] for line in lines)]


def test_chat_answers_with_content_usage_and_cost(client: httpx.Client) -> None:
    answer = client.post("/api/chat", json=HELLO)

    assert answer.status_code == 200
    said = answer.json()
    assert said.keys() == {"id", "content", "model", "provider", "usage", "cost_nanos"}
    assert (said["content"], said["model"], said["provider"]) == ("Hi you", "sim-echo", "simulator")
    usage = said["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert said["cost_nanos"] == usage["input_tokens"] * 150 + usage["output_tokens"] * 600


def test_chat_stream_says_content_then_usage_and_cost_then_done(client: httpx.Client) -> None:
    *contents, final, done = events(client, "/api/chat/stream", HELLO)

    assert done == "[DONE]"
    assert "".join(each["content"] for each in contents) == "Hi you"
    assert final.keys() == {"usage", "model", "provider", "cost_nanos"}
    assert final["cost_nanos"] > 0


def test_chat_refuses_a_field_that_it_does_not_know(client: httpx.Client) -> None:
    error = client.post("/api/chat", json={**HELLO, "top_k": 3}).json()["error"]

    assert (error["param"], error["code"]) == ("top_k", "unknown_parameter")


@pytest.mark.parametrize("provider", ["simulator", "simulator-anthropic"])
def test_a_provider_can_be_chosen(client: httpx.Client, provider: str) -> None:
    answer = client.post("/api/chat", json={**HELLO, "provider": provider}).json()

    assert (answer["provider"], answer["content"]) == (provider, "Hi you")


def test_a_model_can_be_asked_of_a_provider_by_its_prefix(client: httpx.Client) -> None:
    answer = client.post(DOOR, json={**HELLO, "model": "simulator-anthropic/sim-echo"})

    assert answer.headers["x-tollgate-provider"] == "simulator-anthropic"
    assert answer.json()["choices"][0]["message"]["content"] == "Hi you"


def test_a_stream_has_the_shape_of_openais(client: httpx.Client) -> None:
    *chunks, done = events(client, DOOR, {**HELLO, "stream": True})

    assert done == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert all(chunk["choices"] for chunk in chunks), "usage was not asked for"
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_usage_comes_once_in_a_last_chunk_if_it_is_asked_for(client: httpx.Client) -> None:
    body = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}

    *chunks, final, _ = events(client, DOOR, body)

    assert final["choices"] == []
    assert final["usage"]["completion_tokens"] == 2
    assert all(chunk["usage"] is None for chunk in chunks)


def test_a_cap_that_was_put_in_is_told(client: httpx.Client) -> None:
    given = client.post(DOOR, json={**HELLO, "max_tokens": 7})
    put_in = client.post(DOOR, json=HELLO)

    assert "x-tollgate-max-tokens" not in given.headers
    assert put_in.headers["x-tollgate-max-tokens"] == "4096"


def test_options_that_a_provider_has_no_words_for_are_named(client: httpx.Client) -> None:
    body = {**HELLO, "model": "simulator-anthropic/sim-echo", "seed": 7, "logprobs": True}

    answer = client.post(DOOR, json=body)

    assert answer.status_code == 200
    assert answer.headers["x-tollgate-dropped-params"] == "logprobs,seed"


def test_models_lists_what_this_key_may_call(running: Running, client: httpx.Client) -> None:
    key = running.key("--tenant", "doors", "--models", "sim-e*,gpt-4o")
    mine = httpx.get(f"{running.url}/v1/models", headers={"authorization": f"Bearer {key}"}).json()
    everything = client.get("/v1/models").json()

    names = {model["id"] for model in mine["data"]}
    assert "sim-echo" in names
    assert all(name.startswith("sim-e") or name == "gpt-4o" for name in names)
    assert len(everything["data"]) > len(names)


def test_a_model_that_the_key_may_not_call_is_refused(running: Running) -> None:
    key = running.key("--tenant", "doors", "--models", "gpt-*")
    headers = {"authorization": f"Bearer {key}"}

    answer = httpx.post(running.url + DOOR, headers=headers, json=HELLO)

    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"


def test_a_model_without_a_price_is_refused_before_any_call(
    running: Running, client: httpx.Client
) -> None:
    before = len(running.journal())

    answer = client.post(DOOR, json={**HELLO, "model": "simulator/unpriced"})

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "price_unknown"
    assert answer.headers["x-should-retry"] == "false"
    assert len(running.journal()) == before


def test_over_budget_names_scope_spent_held_limit_and_reset(running: Running) -> None:
    key = running.key("--tenant", "thrifty", "--rpm", "0")
    running.manage("budgets", "set", "--tenant", "thrifty", "--period", "day", "--limit", "0.15")
    headers = {"authorization": f"Bearer {key}"}
    body = {**HELLO, "model": "sim-fixed"}
    assert httpx.post(running.url + DOOR, headers=headers, json=body).status_code == 200

    answer = httpx.post(running.url + DOOR, headers=headers, json=body)

    assert answer.status_code == 429
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("budget_exceeded", "insufficient_quota")
    for word in ("tenant thrifty", "daily", "$0.1", "$0.15", "Resets at 20"):
        assert word in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert int(answer.headers["retry-after"]) <= 86_400


def test_a_stream_that_breaks_ends_with_an_error_and_no_done(
    running: Running, client: httpx.Client
) -> None:
    body = {**HELLO, "model": "sim-cut-5", "stream": True}
    body["messages"] = [{"role": "user", "content": "one two three four five six seven eight"}]

    *chunks, last = events(client, DOOR, body)

    assert len(chunks) > 0
    assert last.keys() == {"error"}
    assert last["error"]["code"] == "upstream_error"
    query = (
        "SELECT basis, debit_nanos FROM budgets_posting WHERE model = 'sim-cut-5' AND basis <> ''"
    )
    wait_until(lambda: len(running.rows(query)) == 1, 10)
    [(basis, debit)] = running.rows(query)
    assert basis == "counted"
    assert debit > 0


STATUS = {
    "400": (400, "invalid_request_error"),
    "401": (502, "server_error"),
    "404": (502, "server_error"),
    "429": (429, "rate_limit_error"),
    "500": (502, "server_error"),
    "hang": (504, "server_error"),
    "garbage": (502, "server_error"),
    "reset": (502, "server_error"),
}


@pytest.mark.parametrize(("fault", "expected"), STATUS.items(), ids=STATUS.keys())
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_provider_that_fails_without_fallback_is_told_in_our_own_shape(
    client: httpx.Client, fault: str, expected: tuple[int, str], stream: bool
) -> None:
    answer = client.post(DOOR, json={**HELLO, "model": f"sim-{fault}", "stream": stream})

    assert (answer.status_code, answer.json()["error"]["type"]) == expected
    if answer.status_code == 429:
        assert 1 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize("model", ["sim-nousage", "sim-badusage"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_without_usage_is_counted_by_us(
    running: Running, client: httpx.Client, model: str, stream: bool
) -> None:
    call = client.post(DOOR, json={**HELLO, "model": model, "stream": stream}).headers[
        "x-tollgate-call"
    ]

    query = f"SELECT basis, output_tokens FROM budgets_posting WHERE call = '{call}'"
    wait_until(lambda: len(running.rows(query)) == 1, 10)
    assert running.rows(query) == [("counted", 2)]


def test_a_route_can_have_an_address_and_a_key_of_its_own(
    running: Running, client: httpx.Client
) -> None:
    where = running.environment["TOLLGATE_SIMULATOR_URL"]
    running.environment["MY_KEY"] = "sk-secret-of-mine"
    running.manage(
        "routes",
        "set",
        "elsewhere",
        "--target",
        "openai/gpt-4o",
        "--base-url",
        f"{where}/v1",
        "--key-variable",
        "MY_KEY",
    )

    answer = client.post(DOOR, json={**HELLO, "model": "elsewhere"})

    assert answer.headers["x-tollgate-provider"] == "openai"
    assert answer.json()["choices"][0]["message"]["content"] == "Hi you"
    database = (running.data / "tollgate.sqlite3").read_bytes()
    assert b"sk-secret-of-mine" not in database


def test_every_call_and_change_is_in_the_chain(running: Running, client: httpx.Client) -> None:
    call = client.post(DOOR, json=HELLO).headers["x-tollgate-call"]

    [(attempt,)] = running.rows(f"SELECT attempt FROM budgets_posting WHERE call = '{call}'")
    bodies = [bytes(row[0]) for row in running.rows("SELECT body FROM audit_entry")]
    assert any(attempt.encode() in body for body in bodies)
    assert any(b'"action":"key.create"' in body for body in bodies)
    assert not any(b"Hi you" in body for body in bodies), "prompts are never in the chain"
