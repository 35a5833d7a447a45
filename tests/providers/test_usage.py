"""Usage as providers report it, and the same thing in our terms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.client import DIALECTS
from providers.dialects import anthropic_messages, openai_chat, openai_usage
from providers.sse import SseSplitter
from providers.types import Usage


def openai(given: int, answered: int, prompt: Any, completion: Any = None) -> Usage | None:
    return openai_usage.read_usage(
        {
            "prompt_tokens": given,
            "completion_tokens": answered,
            "prompt_tokens_details": prompt,
            "completion_tokens_details": completion,
        }
    )


def test_audio_and_images_are_parts_of_input_and_output() -> None:
    usage = openai(
        100,
        50,
        {
            "cached_tokens": 30,
            "audio_tokens": 40,
            "image_tokens": 20,
            "cached_tokens_details": {"audio_tokens": 10, "image_tokens": 5},
        },
        {"reasoning_tokens": 5, "audio_tokens": 25, "image_tokens": 20},
    )

    assert usage == Usage(
        100, 50, 30, reasoning_tokens=5, input_audio_tokens=40, output_audio_tokens=25,
        cache_audio_read_tokens=10, input_image_tokens=20, output_image_tokens=20,
        cache_image_read_tokens=5,
    )  # fmt: skip


def test_audio_that_can_only_be_cached_is_read_as_cached() -> None:
    usage = openai(100, 1, {"cached_tokens": 70, "audio_tokens": 90})

    assert usage == Usage(
        100, 1, 70, input_audio_tokens=90, cache_audio_read_tokens=60
    )  # 10 tokens of text at most, so 60 of the 70 cached ones are audio


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        ({"audio_tokens": 11}, {}),
        ({"audio_tokens": -1}, {}),
        ({"audio_tokens": True}, {}),
        ({"audio_tokens": 6, "image_tokens": 6}, {}),
        ({"audio_tokens": 5, "cached_tokens_details": {"audio_tokens": 3}}, {}),
        ({}, {"audio_tokens": 11}),
        ({}, {"audio_tokens": 5, "reasoning_tokens": 6}),
    ],
    ids=str,
)
def test_parts_above_their_whole_are_not_believed(prompt: Any, completion: Any) -> None:
    assert openai(10, 10, prompt, completion) is None


@pytest.mark.parametrize("tier", ["flex", "priority", "default", None, 7])
def test_openais_service_tier_is_the_answers_own(tier: Any) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    whole = {"choices": [], "usage": usage, "service_tier": tier}
    first, last = {"choices": [], "service_tier": tier}, {"choices": [], "usage": usage}
    reader = DIALECTS["openai_chat"].StreamReader()
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in (first, last)).encode()

    streamed = [chunk.usage for event in SseSplitter().feed(body) for chunk in reader.feed(event)]

    expected = Usage(1, 1, service_tier=tier if isinstance(tier, str) else "")
    assert openai_chat.read_response(whole).usage == expected
    assert streamed == [None, expected]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ({"service_tier": "batch", "speed": "standard"}, "batch"),
        ({"service_tier": None}, ""),
    ],
    ids=str,
)
def test_anthropics_speed_counts_before_its_service_tier(said: Any, expected: str) -> None:
    usage = anthropic_messages.read_usage({"input_tokens": 1, "output_tokens": 2, **said})

    assert usage == Usage(1, 2, service_tier=expected)


def test_anthropics_searches_are_counted() -> None:
    usage = {"input_tokens": 1, "server_tool_use": {"web_search_requests": 3}}

    assert anthropic_messages.read_usage(usage) == Usage(1, web_searches=3)
    assert anthropic_messages.read_usage({**usage, "server_tool_use": 3}) is None


def test_rare_kinds_are_written_only_where_there_are_any() -> None:
    plain = openai_usage.write_usage(Usage(3, 2))
    rich = Usage(9, 8, input_audio_tokens=4, output_audio_tokens=3, output_image_tokens=2)

    assert plain["prompt_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
    assert plain["completion_tokens_details"] == {"reasoning_tokens": 0}
    assert openai_usage.read_usage(openai_usage.write_usage(rich)) == rich
