"""Responses requests: every item goes on as it came, or is refused by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers import client
from providers.catalog import PROVIDERS
from providers.dialects import openai_chat, openai_responses
from providers.errors import BadRequest, Unsupported
from providers.routing import Target
from providers.types import ChatRequest
from tests.providers.responses import HELLO, IMAGE, body_for, built

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "one"}
AGENT: dict[str, Any] = {
    "model": "gpt-5-codex",
    "instructions": "You are a coding agent.",
    "input": [
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "Be careful."}],
        },
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Fix it"}, IMAGE],
        },
        REASONING,
        {
            "type": "message",
            "role": "assistant",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "Looking.", "annotations": []}],
        },
        CALL,
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
        RESULT,
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
    ],
    "tools": [
        FUNCTION,
        {"type": "local_shell"},
        {
            "type": "custom",
            "name": "patch",
            "description": "Edit files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"},
        },
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "session-1",
    "text": {
        "verbosity": "low",
        "format": {"type": "json_schema", "name": "out", "schema": {"type": "object"}},
    },
    "client_metadata": {"window": "1"},
}


def test_a_coding_agents_request_reaches_a_responses_provider_as_it_was() -> None:
    http = built(AGENT)

    assert http.path == "/responses"
    assert http.headers["accept"] == "text/event-stream"
    assert json.loads(http.body) == AGENT
    assert http.dropped == ()


def test_web_search_is_left_out_and_named_since_no_budget_can_hold_its_price() -> None:
    tools = [{"type": "web_search", "external_web_access": False}, FUNCTION]

    http = built({**HELLO, "tools": tools})

    assert json.loads(http.body)["tools"] == [FUNCTION]
    assert http.dropped == ("tools.web_search",)


def test_nothing_is_stored_at_the_provider_whatever_the_caller_asks() -> None:
    assert body_for({**HELLO, "store": True})["store"] is False


SAID_IN_CHAT = [
    {"role": "system", "content": "You are a coding agent."},
    {"role": "developer", "content": [{"type": "text", "text": "Be careful."}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Fix it"},
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/cat.png", "detail": "low"},
            },
        ],
    },
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "Looking."}],
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "f", "arguments": '{"a": 1}'},
            },
            {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "one"},
    {"role": "tool", "tool_call_id": "c2", "content": "done"},
]
TOOLS_IN_CHAT = [
    {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object"}, "strict": False},
    },
    {
        "type": "custom",
        "custom": {
            "name": "patch",
            "description": "Edit files.",
            "format": {
                "type": "grammar",
                "grammar": {"syntax": "lark", "definition": "start: /x/"},
            },
        },
    },
]


def test_chat_gets_plain_messages_with_the_results_right_behind_the_calls() -> None:
    document = {
        **AGENT,
        "tools": [tool for tool in AGENT["tools"] if tool["type"] != "local_shell"],
    }

    http = built(document, "openai")

    body = json.loads(http.body)
    assert body["messages"] == SAID_IN_CHAT
    assert body["tools"] == TOOLS_IN_CHAT
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "out", "schema": {"type": "object"}},
    }
    assert (body["reasoning_effort"], body["verbosity"]) == ("medium", "low")
    assert http.dropped == ("client_metadata", "input.reasoning", "reasoning.summary")


def test_chat_gets_one_message_for_turns_of_the_assistant_around_calls() -> None:
    second = {**CALL, "call_id": "c2"}
    said = {"role": "assistant", "content": "And this."}

    body = body_for({**HELLO, "input": [REASONING, CALL, REASONING, said, second]}, "openai")

    [message] = body["messages"]
    assert message["content"] == "And this."
    assert [call["id"] for call in message["tool_calls"]] == ["c1", "c2"]


def test_chat_is_told_nothing_about_tools_where_there_are_none() -> None:
    tools = [{"type": "web_search"}]
    document = {**HELLO, "tools": tools, "tool_choice": "auto", "parallel_tool_calls": True}

    body = body_for(document, "openai")

    assert body == {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tools": [{"type": "local_shell"}]}, "tools"),
        ({"tools": [{"type": "custom", "name": "patch"}]}, "tools"),
        (
            {"input": [{"type": "custom_tool_call", "call_id": "c", "name": "p", "input": ""}]},
            "input",
        ),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input"),
        ({"tool_choice": {"type": "apply_patch"}}, "tool_choice"),
        (
            {
                "input": [
                    {
                        "role": "user",
                        "content": [{"type": "input_file", "file_url": "https://example.com/a"}],
                    }
                ]
            },
            "input",
        ),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_what_another_provider_would_misread_is_refused(change: Any, param: str) -> None:
    with pytest.raises(Unsupported) as refused:
        built({**HELLO, **change}, "anthropic")

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": [7]}, "input[0]"),
        ({"input": [{"role": "wizard", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": [], "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 7}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "odd"}]}]}, "input[0].content[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input[0].content[0].text",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
        ),
        (
            {
                "input": [
                    {
                        "role": "user",
                        "content": [{"type": "input_image", "image_url": "http://10.0.0.1/x"}],
                    }
                ]
            },
            "input[0].content[0]",
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "mcp_call"}]}, "input[0]"),
        ({"input": [{"type": ["message"]}]}, "input[0]"),
        ({"input": [{**CALL, "arguments": {}}]}, "input[0].arguments"),
        ({"input": [{**RESULT, "call_id": None}]}, "input[0].call_id"),
        (
            {
                "input": [
                    {
                        "type": "computer_call_output",
                        "call_id": "c",
                        "output": {"image_url": "http://127.0.0.1/x"},
                    }
                ]
            },
            "input[0].output",
        ),
        (
            {"input": [{**REASONING, "encrypted_content": "tollgate.thinking.1.e30="}]},
            "input[0].encrypted_content",
        ),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True}, "background"),
        ({"messages": []}, "messages"),
        ({"n": 2}, "n"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"truncation": "maybe"}, "truncation"),
        ({"instructions": ["x"]}, "instructions"),
        ({"include": "all"}, "include"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"text": {"verbosity": "loud"}}, "text.verbosity"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
        ({"tools": [{"type": "file_search"}]}, "tools[0]"),
        ({"tools": [{"type": "mcp", "server_url": "http://10.0.0.1"}]}, "tools[0]"),
        ({"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}, "tools[0]"),
        ({"tools": [{"type": "namespace", "tools": [{"type": "mcp"}]}]}, "tools[0]"),
        ({"tools": [{"type": "function", "name": "no spaces"}]}, "tools.0"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"tool_choice": {"type": []}}, "tool_choice"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options"),
        ({"base_url": "http://evil"}, "base_url"),
        ({"model": None}, "model"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_bad_field_is_refused_by_its_name(change: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        openai_responses.parse_request({**HELLO, **change})

    assert refused.value.param == param


CHAT = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi", "name": "Ann"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "f", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
    ],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_object"},
    "reasoning_effort": "low",
    "logprobs": True,
    "seed": 7,
    "stop": "x",
    "max_tokens": 50,
    "stream": True,
    "stream_options": {"include_usage": True, "include_obfuscation": False},
}


def test_a_chat_request_is_said_in_responses_words() -> None:
    request = openai_chat.parse_request(CHAT)

    http = client.build(request, Target(PROVIDERS["openai-responses"], "gpt-5", "", ""))

    assert json.loads(http.body) == {
        "model": "gpt-5",
        "store": False,
        "input": [
            {"type": "message", "role": "system", "content": "Be kind."},
            {"type": "message", "role": "user", "content": "Hi"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
        ],
        # Lenient in chat when it says nothing; strict in Responses when it says nothing.
        "tools": [{"type": "function", "name": "f", "strict": False}],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {"type": "json_object"}},
        "reasoning": {"effort": "low"},
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "max_output_tokens": 50,
        "stream": True,
        "stream_options": {"include_obfuscation": False},
    }
    assert http.dropped == ("messages.name", "seed", "stop")


@pytest.mark.parametrize(("name", "value"), [("n", 2), ("functions", [{"name": "f"}])])
def test_what_would_change_the_answer_is_refused(name: str, value: Any) -> None:
    request = ChatRequest("m", [{"role": "user", "content": "Hi"}], options={name: value})

    with pytest.raises(Unsupported) as refused:
        openai_responses.build_request(request, model="m")

    assert refused.value.param == name


def test_a_chat_callers_messages_never_break_a_responses_provider() -> None:
    odd = {"role": "user", "content": [{"type": "file"}], "native": 7}
    request = ChatRequest("m", [{"role": "assistant", "content": None, "thinking_blocks": [{}]}])

    with pytest.raises(Unsupported):
        openai_responses.build_request(ChatRequest("m", [odd]), model="m")
    http = openai_responses.build_request(request, model="m")

    assert json.loads(http.body)["input"] == []
    assert http.dropped == ("messages.thinking_blocks",)
