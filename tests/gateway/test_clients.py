"""The openai SDK against a running gateway, as an app would use it."""

from __future__ import annotations

import openai
import pytest

from tests.servers import Running

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def client(running: Running) -> openai.OpenAI:
    key = running.key("--tenant", "sdk", "--rpm", "0")
    return openai.OpenAI(base_url=f"{running.url}/v1", api_key=key)


@pytest.mark.parametrize("model", ["sim-echo", "gpt-4o", "claude-sonnet-4-5"])
def test_a_whole_answer_comes_back_with_its_usage(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Hello there!"}]
    )

    assert answer.choices[0].message.content == "Hello there!"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 3)


@pytest.mark.parametrize("model", ["sim-echo", "gpt-4o", "claude-sonnet-4-5"])
def test_a_stream_says_the_same_and_ends_with_usage_if_asked(
    client: openai.OpenAI, model: str
) -> None:
    stream = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Hello there!"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Hello there!"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 13
    assert all(chunk.usage is None for chunk in chunks[:-1])


@pytest.mark.parametrize("model", ["sim-echo", "claude-sonnet-4-5"])
def test_a_tool_is_called_with_its_arguments(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Please call the tool."}],
        tools=[TOOL],  # type: ignore[list-item]  # a plain dict, as most callers write it
    )

    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.tool_calls is not None
    call = answer.choices[0].message.tool_calls[0]
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Paris"}')


def test_a_wrong_key_is_an_authentication_error(running: Running) -> None:
    stranger = openai.OpenAI(base_url=f"{running.url}/v1", api_key="tg_wrong")

    with pytest.raises(openai.AuthenticationError) as refused:
        stranger.chat.completions.create(model="sim-echo", messages=[])

    assert refused.value.code == "invalid_api_key"


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(
            model="no-such-model", messages=[{"role": "user", "content": "Hi"}]
        )

    assert refused.value.code == "model_not_found"


def test_too_many_tokens_are_refused_with_413(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(
            model="sim-echo",
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=128_000,
        )

    assert refused.value.status_code == 413
    assert refused.value.code == "context_length_exceeded"


def test_over_budget_is_a_rate_limit_error_that_the_sdk_does_not_retry(running: Running) -> None:
    key = running.key("--tenant", "poor", "--rpm", "0")
    running.manage("budgets", "set", "--tenant", "poor", "--period", "month", "--limit", "0.05")
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=key)
    before = len(running.journal())

    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(
            model="sim-fixed", messages=[{"role": "user", "content": "Hi"}]
        )

    assert refused.value.code == "insufficient_quota"
    assert "tenant poor" in refused.value.message
    assert len(running.journal()) == before


@pytest.mark.parametrize("fault", ["500", "429", "529", "refuse", "reset", "garbage", "hang"])
def test_a_failing_primary_falls_back_before_the_first_byte(
    running: Running, client: openai.OpenAI, fault: str
) -> None:
    first = f"{'simulator-refuse' if fault == 'refuse' else 'simulator'}/sim-{fault}"
    running.manage(
        "routes", "set", f"try-{fault}", "--target", first, "--target", "simulator/sim-echo"
    )

    answer = client.chat.completions.with_raw_response.create(
        model=f"try-{fault}", messages=[{"role": "user", "content": "Hello"}]
    )

    assert answer.headers["x-tollgate-attempts"] == "2"
    assert answer.parse().choices[0].message.content == "Hello"


def test_a_target_without_words_for_a_request_is_passed_over_at_no_charge(
    running: Running, client: openai.OpenAI
) -> None:
    targets = ("simulator-anthropic/sim-echo", "simulator/sim-echo")
    running.manage("routes", "set", "twice", "--target", targets[0], "--target", targets[1])
    before = len(running.journal())

    answer = client.chat.completions.with_raw_response.create(
        model="twice", messages=[{"role": "user", "content": "Hello"}], n=2
    )

    assert answer.headers["x-tollgate-attempts"] == "2"
    assert answer.parse().choices[0].message.content == "Hello"
    assert len(running.journal()) == before + 1
