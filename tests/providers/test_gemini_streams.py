"""Streams of Gemini: parts add up, the last usage wins, and the end is the end of the bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import client
from providers.catalog import PROVIDERS
from providers.dialects import gemini
from providers.errors import ConnectionLost, ProviderError, StreamError
from providers.routing import Target
from providers.transport import Transport
from providers.types import ChatChunk, ChatRequest, Usage
from tests.recordings import Said, read_chunks, read_stream, said_by_chunks

TARGET = Target(PROVIDERS["gemini"], "gemini-2.5-flash", "https://gemini.test", "secret")


def event(
    *parts: dict[str, Any], finish: str | None = None, usage: Any = None, index: int = 0
) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": index}
    return {
        "candidates": [{**candidate, **({"finishReason": finish} if finish else {})}],
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r1",
        **({"usageMetadata": usage} if usage else {}),
    }


def stream(*documents: Any, ending: str = "\r\n") -> bytes:
    return "".join(f"data: {json.dumps(each)}{ending * 2}" for each in documents).encode()


def chunks(body: bytes) -> list[ChatChunk]:
    return [replace(chunk, created=0) for chunk in read_chunks("gemini", [body])]


def deltas(body: bytes) -> list[Any]:
    return [choice["delta"] for chunk in chunks(body) for choice in chunk.choices]


WHOLE = stream(
    event({"text": "Hm", "thought": True}, usage={"promptTokenCount": 5}),
    event({"text": "Grüße, "}, usage={"promptTokenCount": 5, "candidatesTokenCount": 1}),
    event({"text": "\u2028Welt 🎉"}),
    event({"functionCall": {"id": "c0", "name": "f", "args": {"city": "Köln"}}}),
    event({"functionCall": {"id": "c1", "name": "g"}, "thoughtSignature": "s1"}),
    event(
        {"text": ""},
        finish="STOP",
        usage={"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": 1},
    ),
)
SAID = Said(
    "Grüße, \u2028Welt 🎉",
    [("c0", "f", {"city": "Köln"}), ("c1", "g", {})],
    "tool_calls",
    Usage(9, 4, reasoning_tokens=1),
)


def test_a_stream_is_told_chunk_by_chunk_and_ends_once() -> None:
    told = chunks(WHOLE)

    assert deltas(WHOLE) == [
        {"role": "assistant", "reasoning_content": "Hm"},
        {"content": "Grüße, "},
        {"content": "\u2028Welt 🎉"},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "c0",
                    "type": "function",
                    "function": {"name": "f", "arguments": '{"city":"Köln"}'},
                }
            ]
        },
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "g", "arguments": "{}"},
                    "extra_content": {"google": {"thought_signature": "s1"}},
                }
            ]
        },
        {},
    ]
    finishes = [choice["finish_reason"] for chunk in told for choice in chunk.choices]
    assert finishes == [None] * 5 + ["tool_calls"]
    assert [chunk.is_last for chunk in told] == [False] * (len(told) - 1) + [True]
    assert told[-1].usage == SAID.usage
    assert (told[0].id, told[0].model) == ("r1", "gemini-2.5-flash")


@given(st.sets(st.integers(1, len(WHOLE) - 1), max_size=8))
def test_however_the_bytes_are_split_the_chunks_are_the_same(cuts: set[int]) -> None:
    pieces = [WHOLE[start:end] for start, end in pairwise([0, *sorted(cuts), len(WHOLE)])]

    told = [replace(chunk, created=0) for chunk in read_chunks("gemini", pieces)]

    assert told == chunks(WHOLE)
    assert said_by_chunks(told) == SAID


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_every_line_ending_says_the_same(ending: str, size: int) -> None:
    assert read_stream("gemini", WHOLE.replace(b"\r\n", ending.encode()), size) == SAID


def test_the_last_usage_wins_field_by_field_and_silence_erases_nothing() -> None:
    body = stream(
        event({"text": "a"}, usage={"promptTokenCount": 9, "cachedContentTokenCount": 4}),
        event({"text": "b"}, usage={"promptTokenCount": 9, "candidatesTokenCount": 1}),
        event(finish="STOP"),
        {"usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 2}},
    )

    assert chunks(body)[-1].usage == Usage(12, 2, cache_read_tokens=4)


def test_absurd_usage_at_the_end_is_not_believed() -> None:
    body = stream(
        event({"text": "a"}, usage={"promptTokenCount": 9}),
        event(finish="STOP", usage={"promptTokenCount": 9, "candidatesTokenCount": -1}),
    )

    assert chunks(body)[-1].usage is None


def test_a_finish_on_every_event_is_told_once_and_what_follows_it_is_read() -> None:
    body = stream(
        event({"text": "a"}, finish="STOP"),
        event({"text": "b"}, finish="STOP"),
        event({"functionCall": {"id": "c0", "name": "f"}}, finish="STOP"),
    )

    told = chunks(body)

    assert said_by_chunks(told) == Said("ab", [("c0", "f", {})], "tool_calls", None)
    finishes = [choice["finish_reason"] for chunk in told for choice in chunk.choices]
    assert finishes == [None, None, None, "tool_calls"]


def test_several_choices_keep_apart_and_all_must_finish() -> None:
    first, second = event({"text": "a"}, finish="STOP"), event({"text": "b"}, index=1)
    end = event(finish="MAX_TOKENS", index=1)

    told = [
        (choice["index"], choice["delta"], choice["finish_reason"])
        for chunk in chunks(stream(first, second, end))
        for choice in chunk.choices
    ]

    assert told == [
        (0, {"role": "assistant", "content": "a"}, None),
        (1, {"role": "assistant", "content": "b"}, None),
        (0, {}, "stop"),
        (1, {}, "length"),
    ]
    assert not any(chunk.is_last for chunk in chunks(stream(first, second)))


def test_a_blocked_prompt_ends_as_one_filtered_choice() -> None:
    usage = {"promptTokenCount": 8, "totalTokenCount": 8}
    body = stream({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage})

    *_, ending, last = chunks(body)

    assert ending.choices == [
        {
            "index": 0,
            "delta": {"role": "assistant"},
            "logprobs": None,
            "finish_reason": "content_filter",
            "provider_specific_fields": {"native_finish_reason": "SAFETY"},
        }
    ]
    assert last.is_last
    assert last.usage == Usage(8, 0)


def test_a_signature_on_an_empty_text_is_not_lost() -> None:
    body = stream(event({"text": "a"}), event({"text": "", "thoughtSignature": "s"}, finish="STOP"))

    assert deltas(body)[1] == {
        "content": "",
        "extra_content": {"google": {"thought_signature": "s"}},
    }


def test_calls_without_ids_have_the_ids_of_the_whole_answer() -> None:
    document = event({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}})
    finished = event({"functionCall": {"name": "f", "args": {"a": 1}}}, finish="STOP")
    parts = [*document["candidates"][0]["content"]["parts"]]
    parts += finished["candidates"][0]["content"]["parts"]

    whole = gemini.read_response(event(*parts, finish="STOP")).choices[0]["message"]["tool_calls"]
    streamed = said_by_chunks(chunks(stream(document, finished)))

    assert [call[0] for call in streamed.calls] == [call["id"] for call in whole]
    assert len({call["id"] for call in whole}) == 3


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: [error]], ids=["one", "list"])
def test_an_error_event_is_raised_with_its_message(wrap: Any) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}

    with pytest.raises(StreamError, match="overloaded") as raised:
        chunks(stream(event({"text": "a"}), wrap(error)))

    assert raised.value.code == "UNAVAILABLE"


FIELDS = """candidates content parts text thought functionCall name args id index finishReason
usageMetadata promptTokenCount promptFeedback blockReason error inlineData thoughtSignature
logprobsResult chosenCandidates topCandidates token"""
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS.split()), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(HOSTILE | st.builds(lambda parts: {"candidates": [{"content": {"parts": parts}}]}, HOSTILE))
def test_any_event_is_read_or_refused_but_never_breaks(document: Any) -> None:
    for read in (gemini.read_response, lambda body: chunks(stream(body))):
        try:
            read(document)
        except ProviderError:
            continue


@pytest.mark.parametrize("data", [b"{", b"7", b"[]", b"null", b'{"candidates": 7}'])
def test_an_event_that_is_no_answer_is_raised(data: bytes) -> None:
    with pytest.raises(StreamError):
        read_stream("gemini", b"data: " + data + b"\n\n", 1)


async def arriving(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


async def asked(
    body: bytes, target: Target = TARGET
) -> tuple[list[ChatChunk], list[httpx.Request]]:
    """What the client yields for a stream of these bytes, and what it sent."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=arriving(body))

    transport = Transport(httpx.AsyncClient(transport=httpx.MockTransport(respond)))
    question = ChatRequest("m", [{"role": "user", "content": "Hi"}], stream=True)
    built = client.build(question, target)
    answer = client.stream(built, target, transport, client.Limits(), "a1")
    return [chunk async for chunks in answer for chunk in chunks], requests


async def test_a_stream_whose_choices_have_finished_is_whole_when_its_bytes_end() -> None:
    told, [request] = await asked(WHOLE)

    assert said_by_chunks(told) == SAID
    assert told[-1].is_last
    assert request.url == (
        "https://gemini.test/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    )
    assert request.headers["x-goog-api-key"] == "secret"


async def test_a_last_event_without_its_blank_line_is_read() -> None:
    told, _ = await asked(WHOLE.removesuffix(b"\r\n\r\n"))

    assert said_by_chunks(told) == SAID
    assert told[-1].is_last


LAST_EVENT = WHOLE.rindex(b"data: ")


@pytest.mark.parametrize("size", [0, 1, LAST_EVENT])
async def test_a_stream_that_ends_before_its_choices_have_is_cut(size: int) -> None:
    with pytest.raises(ConnectionLost, match="ended the stream before its end"):
        await asked(WHOLE[:size])


async def test_half_an_event_is_no_end() -> None:
    with pytest.raises(StreamError, match="not JSON"):
        await asked(WHOLE[: LAST_EVENT + 40])


async def test_a_dialect_with_an_end_of_its_own_is_cut_without_it() -> None:
    target = replace(TARGET, provider=PROVIDERS["openai"])
    body = stream({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})

    with pytest.raises(ConnectionLost, match="ended the stream before its end"):
        await asked(body, target)
