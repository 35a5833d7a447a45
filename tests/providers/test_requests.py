"""A caller's request: checked once, then sayable in every dialect or refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.catalog import PROVIDERS
from providers.client import build
from providers.dialects import anthropic_messages, openai_chat
from providers.errors import BadRequest, Unsupported
from providers.routing import Target
from providers.tokens import count_messages
from providers.types import ChatRequest

HELLO: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def anthropic(body: dict[str, Any]) -> dict[str, Any]:
    request = openai_chat.parse_request(body)
    built: dict[str, Any] = json.loads(
        anthropic_messages.build_request(request, model="claude").body
    )
    return built


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [7]}, "messages.0"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": 1}]}]},
            "messages.0.tool_calls",
        ),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": 10**30}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_completion_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"n": 0}, "n"),
        ({"n": 100}, "n"),
        ({"best_of": 5}, "best_of"),
        ({"stop": [1]}, "stop"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools.0"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"provider": "../etc"}, "provider"),
        ({"api_base": "http://evil"}, "api_base"),
        ({"extra_headers": {}}, "extra_headers"),
    ],
    ids=lambda value: json.dumps(value, default=str)[:40],
)
def test_a_bad_field_is_refused_by_its_name(change: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        openai_chat.parse_request({**HELLO, **change})

    assert refused.value.param == param


def test_openai_gets_the_request_as_it_was_with_usage_asked_for() -> None:
    request = openai_chat.parse_request({**HELLO, "stream": True, "seed": 7, "max_tokens": 9})

    body = json.loads(openai_chat.build_request(request, model="gpt-4o-2024-08-06").body)

    assert body == {
        "model": "gpt-4o-2024-08-06",
        "messages": HELLO["messages"],
        "seed": 7,
        "max_completion_tokens": 9,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_anthropic_gets_system_lifted_out_and_turns_of_one_speaker_merged() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "One"},
        {"role": "user", "content": [{"type": "text", "text": "Two"}]},
        {"role": "developer", "content": "Be short."},
    ]

    body = anthropic({**HELLO, "messages": messages, "max_tokens": 5})

    assert [block["text"] for block in body["system"]] == ["Be kind.", "Be short."]
    [turn] = body["messages"]
    assert [block["text"] for block in turn["content"]] == ["One", "Two"]
    assert body["max_tokens"] == 5


def test_anthropic_gets_tool_results_first_in_the_turn_after_the_calls() -> None:
    second = {**CALL, "id": "c2"}
    messages = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": None, "tool_calls": [CALL, second]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "user", "content": "and?"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
    ]

    body = anthropic({**HELLO, "messages": messages, "tools": [TOOL]})

    _, said, heard = body["messages"]
    assert [(b["type"], b["id"], b["input"]) for b in said["content"]] == [
        ("tool_use", "c1", {"a": 1}),
        ("tool_use", "c2", {"a": 1}),
    ]
    assert [b["type"] for b in heard["content"]] == ["tool_result", "tool_result", "text"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
    ids=str,
)
def test_anthropic_gets_tools_and_choice_in_its_own_words(choice: Any, expected: Any) -> None:
    body = anthropic({**HELLO, "tools": [TOOL], "tool_choice": choice})

    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert body["tool_choice"] == expected


def test_anthropic_gets_images_as_sources() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
    ]

    body = anthropic({**HELLO, "messages": [{"role": "user", "content": parts}]})

    assert [block["source"] for block in body["messages"][0]["content"]] == [
        {"type": "base64", "media_type": "image/png", "data": "QUJD"},
        {"type": "url", "url": "https://example.com/cat.png"},
    ]


def test_what_anthropic_has_no_words_for_is_dropped_and_named() -> None:
    request = openai_chat.parse_request({**HELLO, "seed": 7, "logit_bias": {}, "temperature": 2})

    built = anthropic_messages.build_request(request, model="claude")

    assert built.dropped == ("logit_bias", "seed")
    assert json.loads(built.body)["temperature"] == 1


def test_several_answers_are_refused_where_a_provider_gives_one() -> None:
    request = openai_chat.parse_request({**HELLO, "n": 2})

    with pytest.raises(Unsupported):
        anthropic_messages.build_request(request, model="claude")


NAMES = """role content type text user assistant tool function name arguments tools tool_calls id
image_url url input_audio file stop stream n temperature stream_options tool_choice auto
response_format json_schema schema thinking_blocks thinking parallel_tool_calls"""
WORDS = st.sampled_from(NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10) | st.floats(0, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
PART = st.fixed_dictionaries({"type": WORDS}, optional={"text": JSON, "image_url": JSON})
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "assistant", "tool"]),
        "content": st.none() | WORDS | st.lists(PART, max_size=2) | JSON,
    },
    optional={
        "tool_call_id": JSON,
        "tool_calls": st.lists(st.just(CALL), max_size=2) | JSON,
        "thinking_blocks": JSON,
        "name": JSON,
        "refusal": JSON,
    },
)
BODY = st.builds(
    lambda messages, rest: {**rest, "model": "gpt-4o", "messages": messages},
    st.lists(MESSAGE, min_size=1, max_size=4),
    st.dictionaries(WORDS | st.just("user"), JSON, max_size=4),
)


@settings(max_examples=500)
@given(BODY)
def test_any_body_is_built_and_counted_or_refused_but_never_breaks(body: dict[str, Any]) -> None:
    try:
        request = openai_chat.parse_request(body)
    except BadRequest:
        return
    count_messages(request.messages, request.options.get("tools") or [], request.model)
    openai_chat.build_request(request, model="m")
    try:
        anthropic_messages.build_request(request, model="m")
    except BadRequest:
        return


def test_a_request_in_our_own_words_needs_no_parsing() -> None:
    request = ChatRequest("m", [{"role": "user", "content": "Hi"}])

    assert json.loads(anthropic_messages.build_request(request, model="m").body)["max_tokens"] > 0


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize("field", ["role", "best_of"])
def test_a_list_where_a_word_belongs_is_a_bad_request(field: str) -> None:
    wrong = {"messages": [{"role": [], "content": "x"}]} if field == "role" else {"best_of": []}

    with pytest.raises(BadRequest, match=field):
        openai_chat.parse_request({**HELLO, **wrong})


@pytest.mark.parametrize(
    "name", ["openai", "anthropic", "gemini", "cohere", "openai-responses", "mistral"]
)
def test_what_is_nested_too_deep_to_be_written_is_a_bad_request(name: str) -> None:
    parameters = {"type": "object", "properties": nested(300)}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    request = openai_chat.parse_request({**HELLO, "tools": [tool], "max_tokens": 9})

    with pytest.raises(BadRequest):
        build(request, Target(PROVIDERS[name], "m", "", ""))
