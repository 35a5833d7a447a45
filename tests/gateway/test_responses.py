"""The openai SDK's Responses against a running gateway, in front of a model of either wire."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.bookings import booked
from tests.servers import Running

UPSTREAMS = {"openai wire": "sim-echo", "anthropic wire": "simulator-anthropic/sim-echo"}
either = pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS.keys())
INPUT_NANOS, OUTPUT_NANOS = 150, 600
DOOR = "/v1/responses"
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture(scope="module")
def key(running: Running) -> str:
    return running.key("--tenant", "responses", "--rpm", "0")


@pytest.fixture(scope="module")
def client(running: Running, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)


@either
def test_a_response_comes_back_with_its_usage_and_is_booked_to_the_nano(
    running: Running, client: openai.OpenAI, model: str
) -> None:
    answer = client.responses.with_raw_response.create(
        model=model, max_output_tokens=50, instructions="Be kind.", input="Hello there!"
    )

    response, call = answer.parse(), answer.headers["x-tollgate-call"]
    assert (response.id, response.object, response.status) == (
        f"resp_{call}",
        "response",
        "completed",
    )
    assert response.output_text == "Hello there!"
    assert response.usage is not None
    given, said = response.usage.input_tokens, response.usage.output_tokens
    assert given > 3
    assert said == 3
    cost = given * INPUT_NANOS + said * OUTPUT_NANOS
    assert int(answer.headers["x-tollgate-cost-nanos"]) == cost
    assert booked(running, call) == [("provider_usage", given, said, cost)]


@either
def test_a_stream_says_the_same_and_is_booked_to_the_nano(
    running: Running, client: openai.OpenAI, model: str
) -> None:
    with client.responses.stream(model=model, max_output_tokens=50, input="Hello there!") as stream:
        texts = [each.delta for each in stream if each.type == "response.output_text.delta"]
        response = stream.get_final_response()

    assert len(texts) == 3
    assert "".join(texts) == response.output_text == "Hello there!"
    assert response.status == "completed"
    assert response.usage is not None
    given, said = response.usage.input_tokens, response.usage.output_tokens
    assert said == 3
    cost = given * INPUT_NANOS + said * OUTPUT_NANOS
    call = response.id.removeprefix("resp_")
    assert booked(running, call) == [("provider_usage", given, said, cost)]


@either
def test_events_come_by_name_and_numbered_and_end_without_done(
    running: Running, key: str, model: str
) -> None:
    body = {"model": model, "stream": True, "input": "Hi you"}
    headers = {"authorization": f"Bearer {key}"}

    with httpx.stream("POST", running.url + DOOR, headers=headers, json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        call = answer.headers["x-tollgate-call"]
        lines = [line for line in answer.iter_lines() if line]

    names = [line.removeprefix("event: ") for line in lines[::2]]
    documents = [json.loads(line.removeprefix("data: ")) for line in lines[1::2]]
    assert names == [document["type"] for document in documents]
    assert [document["sequence_number"] for document in documents] == list(range(len(documents)))
    assert names == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert {documents[0]["response"]["id"], documents[-1]["response"]["id"]} == {f"resp_{call}"}


@either
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_a_tool_is_called_and_its_result_goes_on_the_talk(
    client: openai.OpenAI, model: str, is_stream: bool
) -> None:
    talk: list[Any] = [{"role": "user", "content": "Please call the tool."}]
    asked: Any = {"model": model, "input": talk, "tools": [WEATHER]}
    if is_stream:
        with client.responses.stream(**asked) as stream:
            first: Any = stream.get_final_response()
    else:
        first = client.responses.create(**asked)

    [call] = first.output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "weather",
        {"city": "Paris"},
    )
    said = {
        "type": "function_call",
        "call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments,
    }
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    talk += [said, result, {"role": "user", "content": "So?"}]
    second = client.responses.create(model=model, input=talk, tools=[WEATHER])
    assert second.output_text == "So?"


@either
def test_an_answer_that_is_cut_at_the_cap_is_incomplete(client: openai.OpenAI, model: str) -> None:
    response = client.responses.create(model=model, max_output_tokens=2, input="one two three four")

    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage is not None
    assert response.usage.output_tokens == 2


def test_what_a_chat_model_has_no_words_for_is_named(client: openai.OpenAI) -> None:
    answer = client.responses.with_raw_response.create(
        model="sim-echo", input="Hi", truncation="auto", reasoning={"summary": "auto"}
    )

    assert answer.headers["x-tollgate-dropped-params"] == "reasoning.summary,truncation"


def test_a_tool_that_only_responses_knows_is_refused_in_front_of_a_chat_model(
    client: openai.OpenAI,
) -> None:
    shell: Any = {"type": "local_shell"}

    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="sim-echo", input="Hi", tools=[shell])

    assert refused.value.param == "tools"
    assert "local_shell" in refused.value.message


def test_a_search_whose_price_no_budget_could_hold_is_left_out_and_named(
    client: openai.OpenAI,
) -> None:
    answer = client.responses.with_raw_response.create(
        model="sim-echo", input="Hi", tools=[{"type": "web_search"}]
    )

    assert answer.parse().output_text == "Hi"
    assert answer.headers["x-tollgate-dropped-params"] == "tools.web_search"


def test_a_wrong_key_is_an_authentication_error(running: Running) -> None:
    stranger = openai.OpenAI(base_url=f"{running.url}/v1", api_key="tg_wrong", max_retries=0)

    with pytest.raises(openai.AuthenticationError) as refused:
        stranger.responses.create(model="sim-echo", input="Hi")

    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": None}, "input"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"messages": []}, "messages"),
    ],
    ids=str,
)
def test_a_bad_field_is_named(client: openai.OpenAI, change: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="sim-echo", input="Hi", extra_body=change)

    assert refused.value.param == param


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_an_unknown_model_is_not_found(client: openai.OpenAI, is_stream: bool) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.responses.create(model="no-such", input="Hi", stream=is_stream)

    assert refused.value.code == "model_not_found"


def test_a_model_that_the_key_may_not_call_is_a_permission_error(running: Running) -> None:
    key = running.key("--tenant", "responses", "--models", "gpt-*", "--rpm", "0")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)

    with pytest.raises(openai.PermissionDeniedError):
        client.responses.create(model="sim-echo", input="Hi")


@either
def test_over_budget_is_a_rate_limit_error_that_the_sdk_does_not_retry(
    running: Running, model: str
) -> None:
    tenant = f"poor-{model.partition('/')[0]}"
    key = running.key("--tenant", tenant, "--rpm", "0")
    running.manage("budgets", "set", "--tenant", tenant, "--period", "day", "--limit", "0.000001")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key)
    before = len(running.journal())

    with pytest.raises(openai.RateLimitError) as refused:
        client.responses.create(model=model, max_output_tokens=50, input="Hi")

    assert (refused.value.type, refused.value.code) == ("budget_exceeded", "insufficient_quota")
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert len(running.journal()) == before


@pytest.mark.parametrize("prefix", ["", "simulator-anthropic/"], ids=UPSTREAMS.keys())
def test_a_stream_that_breaks_ends_with_an_error_that_the_sdk_raises(
    running: Running, client: openai.OpenAI, prefix: str
) -> None:
    said: list[str] = []
    calls: list[str] = []

    with pytest.raises(openai.APIError) as broken:
        for event in client.responses.create(
            model=f"{prefix}sim-cut-2", input="one two three four", stream=True
        ):
            if event.type == "response.created":
                calls.append(event.response.id.removeprefix("resp_"))
            if event.type == "response.output_text.delta":
                said.append(event.delta)

    assert "".join(said) == "one two"
    assert broken.value.code == "upstream_error"
    [(_, _, _, debit)] = booked(running, calls[0])
    assert debit > 0


def test_openais_prices_hold_for_the_same_account_by_its_other_api(
    client: openai.OpenAI,
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.responses.create(model="openai-responses/gpt-4o", input="Hi")

    assert (refused.value.status_code, refused.value.code) == (503, "no_credential")
    owners = {model.owned_by for model in client.models.list()}
    assert "openai" in owners
    assert "openai-responses" not in owners


def test_the_books_are_right_after_all_this(running: Running) -> None:
    assert "intact" in running.manage("audit", "verify")
    assert "0 differences" in running.manage("ledger", "check")


def test_too_many_tokens_are_refused_by_the_name_that_the_caller_gave_them(
    client: openai.OpenAI,
) -> None:
    for is_stream in (False, True):
        with pytest.raises(openai.APIStatusError) as refused:
            client.responses.create(
                model="sim-echo", input="Hi", max_output_tokens=128_000, stream=is_stream
            )

        assert (refused.value.status_code, refused.value.code) == (413, "context_length_exceeded")
        assert refused.value.param == "input"
