"""A call, in all four ways and on both wires: the same answer, the same money."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import providers
from providers import exceptions
from tests.sdk.asked import EVERY_WAY, EVERY_WIRE, HELLO, Ask, pieces, streamed, whole
from tests.sdk.conftest import Simulated

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALL_IT = [{"role": "user", "content": "call the tool"}]


def named(value: Any) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_every_way_says_the_same(ask: Ask, wire: str) -> None:
    answer = ask(f"{wire}/sim-echo")

    assert answer.choices[0].message.content == "Grüße aus Köln"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "sim-echo"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 5)
    assert answer.usage.total_tokens == 17


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_every_way_costs_the_same(ask: Ask, wire: str) -> None:
    answer = ask(f"{wire}/sim-echo")

    assert answer.cost_nanos == 12 * 150 + 5 * 600
    assert answer._hidden_params["response_cost"] == 4.8e-06
    assert providers.completion_cost(completion_response=answer) == 4.8e-06


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_tools_are_called_in_every_way(ask: Ask, wire: str) -> None:
    answer = ask(f"{wire}/sim-echo", CALL_IT, tools=[TOOL])

    [call] = answer.choices[0].message.tool_calls or []
    assert call.function.name == "weather"
    assert call.function.arguments == '{"city":"Paris"}'
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_an_answer_may_be_put_into_the_next_call(ask: Ask, wire: str) -> None:
    first = ask(f"{wire}/sim-echo", CALL_IT, tools=[TOOL])
    message = first.choices[0].message
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "22 C"}

    second = ask(f"{wire}/sim-echo", [*CALL_IT, message, result])

    assert second.choices[0].message.content == "call the tool"


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_usage_that_a_provider_leaves_out_is_counted_and_says_so(ask: Ask) -> None:
    answer = ask("sim-nousage")

    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 5)
    assert answer._hidden_params["usage_is_counted"] is True


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_mock_answers_without_a_provider(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    answer = ask("gpt-4o", mock_response="A text of more than one piece.")

    assert answer.choices[0].message.content == "A text of more than one piece."
    assert answer.usage.completion_tokens == 8
    assert answer.cost_nanos == answer.usage.prompt_tokens * 2_500 + 8 * 10_000


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_a_mock_may_be_an_error(ask: Ask) -> None:
    with pytest.raises(exceptions.RateLimitError) as named_only:
        ask("gpt-4o", mock_response="litellm.RateLimitError")
    with pytest.raises(exceptions.MockException, match="mine"):
        ask("gpt-4o", mock_response=ValueError("mine"))

    assert (named_only.value.llm_provider, named_only.value.model) == ("openai", "gpt-4o")


def test_a_bare_name_finds_its_provider() -> None:
    assert whole("sim-echo")._hidden_params["custom_llm_provider"] == "simulator"
    anthropic = whole("sim-echo", custom_llm_provider="anthropic")
    assert anthropic._hidden_params["custom_llm_provider"] == "anthropic"


def test_every_piece_can_be_read_without_looking_first() -> None:
    texts = [piece.choices[0].delta.content or "" for piece in pieces("sim-echo")]

    assert "".join(texts) == "Grüße aus Köln"


def test_usage_comes_as_a_piece_where_it_was_asked_for() -> None:
    asked = pieces("sim-echo", stream_options={"include_usage": True})
    silent = pieces("sim-echo")

    assert [piece.usage for piece in silent] == [None] * len(silent)
    assert asked[-1].usage is not None
    assert asked[-1].usage.total_tokens == 17
    assert asked[-1].choices[0].delta.content is None
    assert asked[-1]._hidden_params["response_cost"] == 4.8e-06


def test_a_stream_closed_early_hangs_up_and_is_counted() -> None:
    stream = providers.completion("sim-long", HELLO, stream=True, max_tokens=1_000)

    next(stream)
    next(stream)
    stream.close()

    assert list(stream) == []
    assert stream.response is not None
    assert stream.response._hidden_params["usage_is_counted"] is True
    assert stream.response.usage.completion_tokens == 1


async def test_an_async_stream_closed_early_hangs_up_and_is_counted() -> None:
    async with await providers.acompletion(
        "sim-long", HELLO, stream=True, max_tokens=1_000
    ) as stream:
        await anext(stream)
        await anext(stream)

    assert [piece async for piece in stream] == []
    assert stream.response is not None
    assert stream.response.usage.completion_tokens == 1


def test_the_chunks_of_a_stream_build_the_whole_answer() -> None:
    chunks = pieces("sim-echo", CALL_IT, tools=[TOOL])

    built = providers.stream_chunk_builder(chunks, messages=CALL_IT)

    expected = streamed("sim-echo", CALL_IT, tools=[TOOL])
    assert built is not None
    assert (
        built["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        == '{"city":"Paris"}'
    )
    assert built.usage.completion_tokens == expected.usage.completion_tokens
    assert built._hidden_params["response_cost"] is not None
    assert providers.stream_chunk_builder([]) is None


def test_a_hundred_calls_at_once_share_a_loop() -> None:
    async def ask() -> list[str | None]:
        calls = (
            providers.acompletion("sim-echo", [{"role": "user", "content": str(number)}])
            for number in range(100)
        )
        return [each.choices[0].message.content for each in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [str(number) for number in range(100)]


def test_a_cancelled_call_leaves_the_loop_usable() -> None:
    async def ask() -> str | None:
        slow = asyncio.create_task(providers.acompletion("sim-hang", HELLO))
        await asyncio.sleep(0.2)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        answer = await providers.acompletion("sim-echo", HELLO)
        return answer.choices[0].message.content

    assert asyncio.run(ask()) == "Grüße aus Köln"


def test_what_the_caller_said_is_what_was_sent(simulated: Simulated) -> None:
    before = len(simulated.calls())

    whole("sim-long", max_tokens=3, api_base=f"{simulated.url}/v1", api_key="another")

    [call] = simulated.calls()[before:]
    assert (call.model, call.output_tokens) == ("sim-long", 3)
