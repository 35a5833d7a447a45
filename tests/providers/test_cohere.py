"""Cohere's chat API: said as Cohere wants it, read as what a caller of OpenAI expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.dialects import cohere, openai_chat
from providers.errors import BadRequest, StreamError, Unsupported, UnusableAnswer
from providers.sse import SseSplitter
from providers.types import ChatChunk, Usage

HELLO: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
OTHER = {"type": "function", "function": {"name": "g"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def said(**change: Any) -> dict[str, Any]:
    """The body that goes out for a caller's request."""
    request = openai_chat.parse_request({**HELLO, **change})
    body: dict[str, Any] = json.loads(cohere.build_request(request, model="command-a").body)
    return body


def dropped(**change: Any) -> tuple[str, ...]:
    request = openai_chat.parse_request({**HELLO, **change})
    return tuple(cohere.build_request(request, model="command-a").dropped)


def test_a_plain_request_says_model_messages_and_cap() -> None:
    request = openai_chat.parse_request({**HELLO, "max_completion_tokens": 9})

    built = cohere.build_request(request, model="command-a")

    assert built.path == "/v2/chat"
    assert built.headers["accept"] == "application/json"
    assert json.loads(built.body) == {
        "model": "command-a",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
        "max_tokens": 9,
    }


def test_sampling_options_go_by_cohere_s_names() -> None:
    body = said(
        temperature=0.5, top_p=1, top_k=40, stop="END", seed=7, frequency_penalty=0.5, stream=True
    )

    assert {name: body[name] for name in body if name not in {"model", "messages"}} == {
        "stream": True,
        "temperature": 0.5,
        "p": 0.99,
        "k": 40,
        "stop_sequences": ["END"],
        "seed": 7,
        "frequency_penalty": 0.5,
    }


def test_what_cohere_has_no_words_for_is_named() -> None:
    names = dropped(
        user="u", logprobs=True, parallel_tool_calls=False, presence_penalty=-1, seed=1, n=1
    )

    assert names == ("logprobs", "parallel_tool_calls", "presence_penalty", "user")


def test_cohere_s_own_options_pass() -> None:
    options = {"safety_mode": "STRICT", "documents": ["d"], "citation_options": {"mode": "FAST"}}

    body = said(**options)

    assert {name: body[name] for name in options} == options


@pytest.mark.parametrize(
    ("effort", "thinking"),
    [("none", "disabled"), ("minimal", "disabled"), ("low", "enabled"), ("high", "enabled")],
)
def test_an_effort_turns_thinking_on_or_off(effort: str, thinking: str) -> None:
    assert said(reasoning_effort=effort)["thinking"] == {"type": thinking}


@pytest.mark.parametrize(
    ("wanted", "format"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
            {"type": "json_object", "json_schema": SCHEMA},
        ),
    ],
)
def test_a_format_is_said_in_cohere_s_way(wanted: Any, format: Any) -> None:
    assert said(response_format=wanted).get("response_format") == format


@pytest.mark.parametrize(
    ("choice", "ours", "names"),
    [
        (None, None, ["f", "g"]),
        ("auto", None, ["f", "g"]),
        ("none", "NONE", ["f", "g"]),
        ("required", "REQUIRED", ["f", "g"]),
        ({"type": "function", "function": {"name": "g"}}, "REQUIRED", ["g"]),
    ],
)
def test_a_tool_is_chosen_or_left_to_the_model(choice: Any, ours: Any, names: list[str]) -> None:
    body = said(tools=[TOOL, OTHER], tool_choice=choice)

    assert body.get("tool_choice") == ours
    assert [tool["function"]["name"] for tool in body["tools"]] == names


def test_a_tool_s_definition_is_whole() -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]

    body = said(tools=[strict, OTHER])

    assert body["strict_tools"] is True
    assert body["tools"] == [
        TOOL,
        {
            "type": "function",
            "function": {"name": "g", "parameters": {"type": "object", "properties": {}}},
        },
    ]


def test_a_conversation_with_tools_keeps_ids_order_and_plan() -> None:
    body = said(
        messages=[
            {
                "role": "developer",
                "content": [{"type": "text", "text": t} for t in ("Be ", "kind.")],
            },
            {"role": "user", "content": "?"},
            {"role": "assistant", "tool_calls": [CALL], "reasoning_content": "Look up"},
            {"role": "tool", "tool_call_id": "c1", "content": "7"},
            {"role": "assistant", "content": "Seven.", "reasoning_content": "Hm"},
        ]
    )

    assert body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "?"},
        {"role": "assistant", "tool_calls": [CALL], "tool_plan": "Look up"},
        {"role": "tool", "tool_call_id": "c1", "content": "7"},
        {"role": "assistant", "content": "Seven."},
    ]


def test_an_image_goes_as_an_image() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    body = said(messages=[{"role": "user", "content": [{"type": "text", "text": "?"}, image]}])

    assert body["messages"][0]["content"] == [{"type": "text", "text": "?"}, image]


@pytest.mark.parametrize(
    ("change", "param", "kind"),
    [
        ({"n": 2}, "n", Unsupported),
        ({"stop": list("abcdef")}, "stop", Unsupported),
        ({"response_format": {"type": "grammar"}}, "response_format", Unsupported),
        ({"tools": [TOOL], "tool_choice": "some"}, "tool_choice", BadRequest),
        (
            {"tools": [TOOL], "tool_choice": {"function": {"name": "h"}}},
            "tool_choice",
            BadRequest,
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages.0.content",
            Unsupported,
        ),
        (
            {"messages": [{"role": "system", "content": [{"type": "file"}]}]},
            "messages.0.content",
            Unsupported,
        ),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages.0.role", Unsupported),
    ],
    ids=lambda value: json.dumps(value, default=str)[:40],
)
def test_what_cannot_be_said_is_refused_by_name(
    change: dict[str, Any], param: str, kind: type[BadRequest]
) -> None:
    with pytest.raises(kind) as refused:
        said(**change)

    assert refused.value.param == param


def answer(**change: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        "finish_reason": "COMPLETE",
        "usage": {
            "billed_units": {"input_tokens": 7, "output_tokens": 88},
            "tokens": {"input_tokens": 69, "output_tokens": 89},
            "cached_tokens": 68,
        },
        **change,
    }


def test_what_is_billed_is_what_cohere_bills() -> None:
    response = cohere.read_response(answer())

    assert response.usage == Usage(7, 88)
    assert response.content == "Hi"
    assert response.choices[0]["finish_reason"] == "stop"
    assert response.native_finish_reasons == ["COMPLETE"]


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"billed_units": {"input_tokens": 7.0, "output_tokens": 2.0}}, Usage(7, 2)),
        ({"billed_units": {"input_tokens": 7}}, Usage(7, 0)),
        ({"billed_units": {"input_tokens": 7.5, "output_tokens": 2}}, None),
        ({"billed_units": {"input_tokens": -7, "output_tokens": 2}}, None),
        ({"billed_units": {"input_tokens": True, "output_tokens": 2}}, None),
        ({"billed_units": {}}, None),
        ({"tokens": {"input_tokens": 7, "output_tokens": 2}}, None),
        ("none", None),
        (None, None),
    ],
    ids=str,
)
def test_usage_that_cannot_be_is_not_believed(usage: Any, read: Usage | None) -> None:
    assert cohere.read_usage(usage) == read


def test_calls_plan_thinking_and_citations_of_a_whole_answer() -> None:
    message = {
        "content": [{"type": "thinking", "thinking": "Hm. "}, {"type": "text", "text": "7"}],
        "tool_plan": "Look up",
        "tool_calls": [CALL, {"id": "c2", "function": {"name": "g", "arguments": {"b": "ö"}}}],
        "citations": [{"start": 0, "end": 1, "text": "7"}],
    }

    choice = cohere.read_response(answer(message=message, finish_reason="TOOL_CALL")).choices[0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": "7",
        "reasoning_content": "Hm. Look up",
        "tool_calls": [
            CALL,
            {
                "id": "c2",
                "type": "function",
                "function": {"name": "g", "arguments": '{"b":"ö"}'},
            },
        ],
        "citations": [{"start": 0, "end": 1, "text": "7"}],
    }


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        answer(message="Hi"),
        answer(message={"content": "Hi"}),
        answer(message={"content": [7]}),
        answer(message={"tool_calls": [{}]}),
        answer(message={"tool_calls": {"id": 1}}),
        answer(finish_reason="ERROR"),
        answer(finish_reason="TIMEOUT"),
    ],
    ids=str,
)
def test_a_body_that_is_no_answer_is_raised(body: Any) -> None:
    with pytest.raises(UnusableAnswer):
        cohere.read_response(body)


def event(type: str, **fields: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode()


def part(type: str, index: int = 0, **message: Any) -> bytes:
    return event(type, index=index, delta={"message": message})


END = event(
    "message-end",
    delta={
        "finish_reason": "TOOL_CALL",
        "usage": {
            "billed_units": {"input_tokens": 62, "output_tokens": 28},
            "tokens": {"input_tokens": 968, "output_tokens": 83},
        },
    },
)
STREAM = b"".join(
    [
        event("message-start", id="a", delta={"message": {"role": "assistant", "content": []}}),
        part("tool-plan-delta", tool_plan="Ich suche "),
        part("content-start", content={"type": "thinking", "thinking": ""}),
        part("content-delta", content={"thinking": "Hm"}),
        event("content-end", index=0),
        part("content-start", 1, content={"type": "text", "text": ""}),
        part("content-delta", 1, content={"text": "Köln \u2028🎉"}),
        part("citation-start", citations={"start": 0, "end": 4, "text": "Köln"}),
        event("citation-end", index=0),
        event("content-end", index=1),
        part(
            "tool-call-start",
            tool_calls={
                "id": "c0",
                "type": "function",
                "function": {"name": "f", "arguments": ""},
            },
        ),
        part("tool-call-delta", tool_calls={"function": {"arguments": '{"a": '}}),
        part("tool-call-delta", tool_calls={"function": {"arguments": "1}"}}),
        event("tool-call-end", index=0),
        part(
            "tool-call-start",
            3,
            tool_calls={"id": "c1", "function": {"name": "g", "arguments": "{}"}},
        ),
        event("debug", prompt="x"),
        END,
        b"data: [DONE]\n\n",
    ]
)


def read(body: bytes, at: int = 0) -> list[ChatChunk]:
    splitter, reader = SseSplitter(), cohere.StreamReader(created=1)
    events = [*splitter.feed(body[:at]), *splitter.feed(body[at:])]
    return [chunk for each in events for chunk in reader.feed(each)]


def test_a_stream_says_plan_thinking_text_citations_and_calls_in_order() -> None:
    chunks = read(STREAM)

    deltas = [choice["delta"] for chunk in chunks for choice in chunk.choices]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Ich suche "},
        {"reasoning_content": "Hm"},
        {"content": "Köln \u2028🎉"},
        {"citations": [{"start": 0, "end": 4, "text": "Köln"}]},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "c0",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": '}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "g", "arguments": "{}"},
                }
            ]
        },
        {},
    ]


def test_a_stream_ends_with_its_reason_and_what_is_billed() -> None:
    *_, finish, last = read(STREAM)

    assert finish.choices[0]["finish_reason"] == "tool_calls"
    assert finish.usage == last.usage == Usage(62, 28)
    assert (finish.is_last, last.is_last) == (False, True)
    assert last.choices == ()
    assert last.id == "a"


def test_a_stream_cut_at_any_byte_gives_the_same_chunks() -> None:
    whole = read(STREAM)

    assert [read(STREAM, at) for at in range(len(STREAM) + 1)] == [whole] * (len(STREAM) + 1)


def test_a_stream_without_its_end_has_no_last_chunk() -> None:
    assert not any(chunk.is_last for chunk in read(STREAM[: STREAM.index(END)]))


@pytest.mark.parametrize(
    "body",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        b'data: {"message": "overloaded"}\n\n',
        event("error", message="overloaded"),
        event("message-end", delta={"finish_reason": "ERROR", "error": "overloaded"}),
        event("message-end", delta={"finish_reason": "TIMEOUT"}),
    ],
    ids=lambda body: body.decode()[:40],
)
def test_an_answer_that_fails_on_the_way_is_raised(body: bytes) -> None:
    with pytest.raises(StreamError):
        read(body)


def test_an_error_is_told_in_cohere_s_words() -> None:
    error = cohere.read_error(400, {}, b'{"id": "x", "message": "invalid request: no model"}')

    assert isinstance(error, BadRequest)
    assert error.message == "invalid request: no model"
