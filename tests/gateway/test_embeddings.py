"""The openai SDK's embeddings against a running gateway, metered and booked as chat is."""

from __future__ import annotations

import math
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.bookings import booked
from tests.servers import Running, wait_until

DOOR = "/v1/embeddings"
INPUT_NANOS = 150
SMALL_NANOS = 20  # text-embedding-3-small: $0.02 per million tokens


@pytest.fixture(scope="module")
def key(running: Running) -> str:
    return running.key("--tenant", "embeddings", "--rpm", "0")


@pytest.fixture(scope="module")
def client(running: Running, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)


@pytest.mark.parametrize(
    ("given", "tokens"),
    [
        ("Hello there!", 3),
        (["Hello there!", "Hi"], 4),
        ([5, 6, 7, 8, 9], 5),
        ([[5, 6], [7]], 3),
    ],
    ids=["text", "texts", "tokens", "lists of tokens"],
)
def test_every_kind_of_input_is_embedded_and_booked_to_the_nano(
    running: Running, client: openai.OpenAI, given: Any, tokens: int
) -> None:
    answer = client.embeddings.with_raw_response.create(model="sim-embed", input=given)

    listed, call = answer.parse(), answer.headers["x-tollgate-call"]
    count = len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1
    assert (listed.object, listed.model) == ("list", "sim-embed")
    assert [each.index for each in listed.data] == list(range(count))
    assert [math.hypot(*each.embedding) for each in listed.data] == pytest.approx([1.0] * count)
    assert (listed.usage.prompt_tokens, listed.usage.total_tokens) == (tokens, tokens)
    assert int(answer.headers["x-tollgate-cost-nanos"]) == tokens * INPUT_NANOS
    assert "x-tollgate-max-tokens" not in answer.headers
    assert booked(running, call) == [("provider_usage", tokens, 0, tokens * INPUT_NANOS)]


def test_a_model_whose_price_is_for_input_alone_is_booked_to_the_nano(
    running: Running, client: openai.OpenAI
) -> None:
    answer = client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input="Hello there!"
    )

    assert answer.headers["x-tollgate-provider"] == "openai"
    [posting] = booked(running, answer.headers["x-tollgate-call"])
    assert posting == ("provider_usage", 3, 0, 3 * SMALL_NANOS)


@pytest.mark.parametrize("model", ["sim-embed", "text-embedding-3-small"])
def test_floats_and_base64_are_the_same_vector(client: openai.OpenAI, model: str) -> None:
    packed = client.embeddings.create(model=model, input="Hi")
    numbers = client.embeddings.create(model=model, input="Hi", encoding_format="float")
    text: Any = client.embeddings.create(model=model, input="Hi", encoding_format="base64")

    assert numbers.data[0].embedding == pytest.approx(packed.data[0].embedding, rel=1e-6)
    assert isinstance(text.data[0].embedding, str)


def test_the_same_text_has_the_same_vector_and_another_has_another(client: openai.OpenAI) -> None:
    listed = client.embeddings.create(model="sim-embed", input=["one", "two", "one"])

    first, second, third = (each.embedding for each in listed.data)
    assert first == third != second


def test_a_vector_has_the_dimensions_that_were_asked_for(client: openai.OpenAI) -> None:
    listed = client.embeddings.create(model="sim-embed", input="Hi", dimensions=3)

    assert len(listed.data[0].embedding) == 3


def test_a_batch_may_be_larger_than_one_inputs_context(
    running: Running, client: openai.OpenAI
) -> None:
    texts = ["word " * 1_999] * 10  # of a model with a context of 8,192 tokens

    answer = client.embeddings.with_raw_response.create(model="text-embedding-3-small", input=texts)

    [(basis, tokens, _, debit)] = booked(running, answer.headers["x-tollgate-call"])
    assert basis == "provider_usage"
    assert tokens > 8_192
    assert debit == tokens * SMALL_NANOS


@pytest.mark.parametrize("model", ["sim-nousage", "sim-badusage"])
def test_an_answer_without_usage_is_counted_by_us_and_told_so(
    running: Running, client: openai.OpenAI, model: str
) -> None:
    answer = client.embeddings.with_raw_response.create(model=model, input="Hello there!")

    assert answer.parse().usage.prompt_tokens == 3
    [posting] = booked(running, answer.headers["x-tollgate-call"])
    assert posting == ("counted", 3, 0, 3 * INPUT_NANOS)


def test_options_that_mean_something_to_a_chat_alone_go_on_unread(
    running: Running, client: openai.OpenAI
) -> None:
    odd = {"n": "many", "service_tier": ["flex"], "tools": 5, "user": 7, "max_tokens": "x"}

    answer = client.embeddings.with_raw_response.create(
        model="sim-embed", input="Hi", extra_body=odd
    )

    [posting] = booked(running, answer.headers["x-tollgate-call"])
    assert posting == ("provider_usage", 1, 0, INPUT_NANOS)


def test_a_call_is_in_the_request_log_with_its_user_and_tags(
    running: Running, client: openai.OpenAI
) -> None:
    answer = client.embeddings.with_raw_response.create(
        model="sim-embed", input="Hi", user="ann", extra_headers={"x-tollgate-tags": "team=search"}
    )

    query = (
        "SELECT model, end_user, tags, provider, status, is_stream FROM gateway_loggedcall "
        f"WHERE call = '{answer.headers['x-tollgate-call']}'"
    )
    wait_until(lambda: running.rows(query), 10)
    assert running.rows(query) == [("sim-embed", "ann", "team=search", "simulator", 200, 0)]


def test_a_hold_is_for_the_input_alone(running: Running) -> None:
    key = running.key("--tenant", "frugal", "--rpm", "0")
    running.manage("budgets", "set", "--tenant", "frugal", "--period", "day", "--limit", "0.000002")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)

    listed = client.embeddings.create(model="sim-embed", input="Hi")

    assert listed.usage.total_tokens == 1


def route(running: Running, name: str, *targets: str) -> None:
    words = [word for target in targets for word in ("--target", target)]
    running.manage("routes", "set", name, *words)


def test_a_target_that_fails_is_followed_by_the_next_that_can_embed(
    running: Running, client: openai.OpenAI
) -> None:
    targets = ("simulator/sim-500", "simulator-anthropic/sim-echo", "simulator/sim-embed")
    route(running, "vectors", *targets)

    answer = client.embeddings.with_raw_response.create(model="vectors", input="Hello there!")

    assert answer.headers["x-tollgate-attempts"] == "2"
    assert answer.headers["x-tollgate-provider"] == "simulator"
    assert booked(running, answer.headers["x-tollgate-call"]) == [
        ("none", 0, 0, 0),
        ("provider_usage", 3, 0, 3 * INPUT_NANOS),
    ]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("500", 502, "upstream_error"),
        ("429", 429, "upstream_rate_limited"),
        ("400", 400, "invalid_request_error"),
    ],
)
def test_a_provider_that_fails_is_told_in_our_own_shape(
    client: openai.OpenAI, fault: str, status: int, code: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.embeddings.create(model=f"sim-{fault}", input="Hi")

    assert (refused.value.status_code, refused.value.code) == (status, code)


def test_a_model_of_a_provider_without_embeddings_is_refused_before_any_call(
    running: Running, client: openai.OpenAI
) -> None:
    before = len(running.journal())

    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="simulator-anthropic/sim-echo", input="Hi")

    assert (refused.value.param, refused.value.code) == ("model", "unsupported_model")
    assert len(running.journal()) == before


def test_a_wrong_key_is_an_authentication_error(running: Running) -> None:
    stranger = openai.OpenAI(base_url=f"{running.url}/v1", api_key="tg_wrong", max_retries=0)

    with pytest.raises(openai.AuthenticationError) as refused:
        stranger.embeddings.create(model="sim-embed", input="Hi")

    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": ["Hi", ""]}, "input.1"),
        ({"input": [1, "Hi"]}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"stream": True}, "stream"),
        ({"api_base": "http://evil"}, "api_base"),
    ],
    ids=str,
)
def test_a_bad_field_is_named(client: openai.OpenAI, change: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="sim-embed", input="Hi", extra_body=change)

    assert refused.value.param == param


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.embeddings.create(model="no-such", input="Hi")

    assert refused.value.code == "model_not_found"


def test_a_model_that_the_key_may_not_call_is_a_permission_error(running: Running) -> None:
    key = running.key("--tenant", "embeddings", "--models", "gpt-*", "--rpm", "0")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)

    with pytest.raises(openai.PermissionDeniedError):
        client.embeddings.create(model="sim-embed", input="Hi")


def test_too_many_tokens_are_refused_with_413(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.embeddings.create(model="sim-embed", input=[[1] * 1_000] * 128)

    assert (refused.value.status_code, refused.value.code) == (413, "context_length_exceeded")
    assert refused.value.param == "input"


def test_over_budget_is_a_rate_limit_error_that_the_sdk_does_not_retry(running: Running) -> None:
    key = running.key("--tenant", "poor", "--rpm", "0")
    running.manage("budgets", "set", "--tenant", "poor", "--period", "day", "--limit", "0.000001")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key)
    before = len(running.journal())

    with pytest.raises(openai.RateLimitError) as refused:
        client.embeddings.create(model="sim-embed", input="one two three four five six seven")

    assert (refused.value.type, refused.value.code) == ("budget_exceeded", "insufficient_quota")
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert len(running.journal()) == before


def test_a_rate_that_is_used_up_is_a_rate_limit_error(running: Running) -> None:
    key = running.key("--tenant", "embeddings", "--rpm", "1")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)
    client.embeddings.create(model="sim-embed", input="Hi")

    with pytest.raises(openai.RateLimitError) as refused:
        client.embeddings.create(model="sim-embed", input="Hi")

    assert refused.value.code == "rate_limit_exceeded"


def test_a_method_other_than_post_is_refused(running: Running, key: str) -> None:
    answer = httpx.get(running.url + DOOR, headers={"authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_the_books_are_right_after_all_this(running: Running) -> None:
    assert "intact" in running.manage("audit", "verify")
    assert "0 differences" in running.manage("ledger", "check")
