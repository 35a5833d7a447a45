"""The anthropic SDK against a running gateway, in front of a model of either wire."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx
import pytest
from anthropic.types import MessageParam, ToolParam

from tests.gateway.bookings import booked
from tests.servers import Running

UPSTREAMS = {"openai wire": "sim-echo", "anthropic wire": "simulator-anthropic/sim-echo"}
either = pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS.keys())
INPUT_NANOS, OUTPUT_NANOS = 150, 600
WEATHER: ToolParam = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CLOCK: ToolParam = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}


def said_by_user(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def key(running: Running) -> str:
    return running.key("--tenant", "messages", "--rpm", "0")


@pytest.fixture(scope="module")
def client(running: Running, key: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=running.url, api_key=key)


@either
def test_a_message_comes_back_with_its_usage_and_is_booked_to_the_nano(
    running: Running, client: anthropic.Anthropic, model: str
) -> None:
    answer = client.messages.with_raw_response.create(
        model=model, max_tokens=50, system="Be kind.", messages=said_by_user("Hello there!")
    )

    message = answer.parse()
    assert message.id.startswith("msg_")
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    [block] = message.content
    assert block.type == "text"
    assert block.text == "Hello there!"
    given, said = message.usage.input_tokens, message.usage.output_tokens
    assert given > 3
    assert said == 3
    cost = given * INPUT_NANOS + said * OUTPUT_NANOS
    assert int(answer.headers["x-tollgate-cost-nanos"]) == cost
    call = answer.headers["x-tollgate-call"]
    assert booked(running, call) == [("provider_usage", given, said, cost)]


@either
def test_a_stream_says_the_same_and_is_booked_to_the_nano(
    running: Running, client: anthropic.Anthropic, model: str
) -> None:
    with client.messages.stream(
        model=model, max_tokens=50, messages=said_by_user("Hello there!")
    ) as stream:
        texts = list(stream.text_stream)
        message = stream.get_final_message()
        call = stream.response.headers["x-tollgate-call"]

    assert len(texts) == 3
    assert "".join(texts) == "Hello there!"
    assert message.stop_reason == "end_turn"
    given, said = message.usage.input_tokens, message.usage.output_tokens
    assert said == 3
    cost = given * INPUT_NANOS + said * OUTPUT_NANOS
    assert booked(running, call) == [("provider_usage", given, said, cost)]


@either
def test_events_come_by_name_and_in_anthropics_order(
    running: Running, key: str, model: str
) -> None:
    body = {"model": model, "max_tokens": 9, "stream": True, "messages": said_by_user("Hi you")}

    with httpx.stream(
        "POST", f"{running.url}/v1/messages", headers={"x-api-key": key}, json=body
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]

    names = [line.removeprefix("event: ") for line in lines[::2]]
    documents = [json.loads(line.removeprefix("data: ")) for line in lines[1::2]]
    assert names == [document["type"] for document in documents]
    assert names == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@either
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_two_tools_are_called_with_their_arguments(
    client: anthropic.Anthropic, model: str, is_stream: bool
) -> None:
    asked: Any = {
        "model": model,
        "max_tokens": 50,
        "messages": said_by_user("Please call the tools."),
        "tools": [WEATHER, CLOCK],
    }
    if is_stream:
        with client.messages.stream(**asked) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(**asked)

    assert message.stop_reason == "tool_use"
    called = [(b.name, b.input) for b in message.content if b.type == "tool_use"]
    assert called == [("weather", {"city": "Paris"}), ("clock", {})]


@either
def test_a_tool_that_must_be_called_is_answered_and_the_talk_goes_on(
    client: anthropic.Anthropic, model: str
) -> None:
    talk: list[MessageParam] = said_by_user("How is it?")
    first = client.messages.create(
        model=model,
        max_tokens=50,
        messages=talk,
        tools=[WEATHER],
        tool_choice={"type": "tool", "name": "weather"},
    )
    [call] = first.content
    assert call.type == "tool_use"
    said: Any = call.model_dump(exclude_none=True)
    talk += [
        {"role": "assistant", "content": [said]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": call.id, "content": "rain"},
                {"type": "text", "text": "So?"},
            ],
        },
    ]

    second = client.messages.create(model=model, max_tokens=50, messages=talk, tools=[WEATHER])

    assert second.stop_reason == "end_turn"
    assert [block.text for block in second.content if block.type == "text"] == ["So?"]


@either
def test_an_answer_that_is_cut_at_the_cap_says_so(client: anthropic.Anthropic, model: str) -> None:
    message = client.messages.create(
        model=model, max_tokens=2, messages=said_by_user("one two three four")
    )

    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 2


def test_what_an_openai_model_has_no_words_for_is_named(client: anthropic.Anthropic) -> None:
    answer = client.messages.with_raw_response.create(
        model="sim-echo",
        max_tokens=2_000,
        thinking={"type": "enabled", "budget_tokens": 1_024},
        system=[{"type": "text", "text": "Be.", "cache_control": {"type": "ephemeral"}}],
        messages=said_by_user("Hi"),
        extra_headers={"anthropic-beta": "interleaved-thinking-2025-05-14"},
    )

    named = answer.headers["x-tollgate-dropped-params"]
    assert named == "anthropic_beta,cache_control,thinking"


def test_a_tool_of_anthropics_own_is_refused_in_front_of_another_model(
    client: anthropic.Anthropic,
) -> None:
    search: Any = {"type": "web_search_20250305", "name": "web_search"}
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(
            model="sim-echo", max_tokens=9, messages=said_by_user("Hi"), tools=[search]
        )

    assert "web_search_20250305" in refused.value.message


@either
def test_tokens_are_counted_and_nothing_is_booked(
    running: Running, client: anthropic.Anthropic, model: str
) -> None:
    spent = "SELECT count(*) FROM budgets_posting"
    before, served = running.rows(spent), len(running.journal())

    counted = client.messages.count_tokens(model=model, messages=said_by_user("Hello there!"))
    with_tool = client.messages.count_tokens(
        model=model, messages=said_by_user("Hello there!"), tools=[WEATHER]
    )

    assert counted.input_tokens == 10
    assert with_tool.input_tokens > 20
    assert len(running.journal()) == served
    assert running.rows(spent) == before


def test_a_key_may_come_as_a_bearer(running: Running, key: str) -> None:
    client = anthropic.Anthropic(base_url=running.url, auth_token=key, api_key=None)

    message = client.messages.create(model="sim-echo", max_tokens=9, messages=said_by_user("Hi"))

    assert message.stop_reason == "end_turn"


def test_two_keys_that_differ_are_refused(running: Running, key: str) -> None:
    headers = {"x-api-key": key, "authorization": "Bearer tg_other"}

    answer = httpx.post(f"{running.url}/v1/messages", headers=headers, json={})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "More than one API key."


@pytest.mark.parametrize("door", ["create", "count"])
def test_a_wrong_key_is_an_authentication_error(running: Running, door: str) -> None:
    stranger = anthropic.Anthropic(base_url=running.url, api_key="tg_wrong")

    with pytest.raises(anthropic.AuthenticationError) as refused:
        if door == "create":
            stranger.messages.create(model="sim-echo", max_tokens=9, messages=[])
        else:
            stranger.messages.count_tokens(model="sim-echo", messages=[])

    body: Any = refused.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "authentication_error")
    assert body["request_id"] == refused.value.request_id


def test_a_model_that_the_key_may_not_call_is_a_permission_error(running: Running) -> None:
    key = running.key("--tenant", "messages", "--models", "gpt-*", "--rpm", "0")
    client = anthropic.Anthropic(base_url=running.url, api_key=key)

    with pytest.raises(anthropic.PermissionDeniedError):
        client.messages.create(model="sim-echo", max_tokens=9, messages=said_by_user("Hi"))
    with pytest.raises(anthropic.PermissionDeniedError):
        client.messages.count_tokens(model="sim-echo", messages=said_by_user("Hi"))


def test_an_unknown_model_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as refused:
        client.messages.create(model="no-such", max_tokens=9, messages=said_by_user("Hi"))

    body: Any = refused.value.body
    assert body["error"]["type"] == "not_found_error"


@either
def test_too_many_tokens_are_refused_with_413(client: anthropic.Anthropic, model: str) -> None:
    with pytest.raises(anthropic.APIStatusError) as refused:
        client.messages.create(
            model=model, max_tokens=128_000, messages=said_by_user("Hi"), timeout=60
        )

    body: Any = refused.value.body
    assert (refused.value.status_code, body["error"]["type"]) == (413, "request_too_large")


def test_a_body_that_is_too_large_is_refused_in_the_same_shape(running: Running, key: str) -> None:
    body = b" " * (33 * 1024 * 1024)

    answer = httpx.post(
        f"{running.url}/v1/messages", headers={"x-api-key": key}, content=body, timeout=60
    )

    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"


@either
def test_over_budget_is_a_rate_limit_error_that_the_sdk_does_not_retry(
    running: Running, model: str
) -> None:
    tenant = f"poor-{model.partition('/')[0]}"
    key = running.key("--tenant", tenant, "--rpm", "0")
    running.manage("budgets", "set", "--tenant", tenant, "--period", "day", "--limit", "0.000001")
    client = anthropic.Anthropic(base_url=running.url, api_key=key)
    before = len(running.journal())

    with pytest.raises(anthropic.RateLimitError) as refused:
        client.messages.create(model=model, max_tokens=50, messages=said_by_user("Hi"))

    body: Any = refused.value.body
    assert body["error"]["type"] == "rate_limit_error"
    assert f"tenant {tenant}" in body["error"]["message"]
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert len(running.journal()) == before


@pytest.mark.parametrize("prefix", ["", "simulator-anthropic/"], ids=UPSTREAMS.keys())
@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("500", 502, "api_error"),
        ("429", 429, "rate_limit_error"),
        ("400", 400, "invalid_request_error"),
        ("401", 502, "api_error"),
    ],
)
def test_a_provider_that_fails_is_told_in_anthropics_shape(
    running: Running, key: str, prefix: str, fault: str, status: int, kind: str
) -> None:
    client = anthropic.Anthropic(base_url=running.url, api_key=key, max_retries=0)

    with pytest.raises(anthropic.APIStatusError) as refused:
        client.messages.create(
            model=f"{prefix}sim-{fault}", max_tokens=9, messages=said_by_user("Hi")
        )

    body: Any = refused.value.body
    assert (refused.value.status_code, body["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("prefix", ["", "simulator-anthropic/"], ids=UPSTREAMS.keys())
def test_a_stream_that_breaks_ends_with_an_error_event(
    running: Running, key: str, prefix: str
) -> None:
    client = anthropic.Anthropic(base_url=running.url, api_key=key, max_retries=0)
    said: list[str] = []

    with (
        pytest.raises(anthropic.APIStatusError) as broken,
        client.messages.stream(
            model=f"{prefix}sim-cut-2", max_tokens=9, messages=said_by_user("one two three four")
        ) as stream,
    ):
        said += stream.text_stream

    body: Any = broken.value.body
    assert "".join(said) == "one two"
    assert (body["type"], body["error"]["type"]) == ("error", "api_error")


def test_a_method_other_than_post_is_refused_in_anthropics_shape(
    running: Running, key: str
) -> None:
    answer = httpx.get(f"{running.url}/v1/messages", headers={"x-api-key": key})

    assert (answer.status_code, answer.json()["type"]) == (405, "error")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"api_base": "http://evil"}, "api_base"),
    ],
    ids=str,
)
def test_a_bad_field_is_named(
    running: Running, key: str, change: dict[str, Any], word: str
) -> None:
    body = {"model": "sim-echo", "max_tokens": 9, "messages": said_by_user("Hi"), **change}

    answer = httpx.post(f"{running.url}/v1/messages", headers={"x-api-key": key}, json=body)

    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]


def test_a_call_that_only_fills_the_cache_is_passed_on_with_its_cap_of_nought(
    client: anthropic.Anthropic,
) -> None:
    answer = client.messages.with_raw_response.create(
        model="simulator-anthropic/sim-echo", max_tokens=0, messages=said_by_user("Hi")
    )

    assert "x-tollgate-max-tokens" not in answer.headers


def test_the_books_are_right_after_all_this(running: Running) -> None:
    assert "intact" in running.manage("audit", "verify")
    assert "0 differences" in running.manage("ledger", "check")
