"""Anthropic's messages API inward: nothing is lost, and every model is told what it can take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import CompletionCreateParams
from pydantic import TypeAdapter

from providers.dialects import anthropic_messages, openai_chat
from providers.errors import BadRequest, Unsupported
from providers.tokens import count_messages
from providers.types import ChatResponse, Usage

HELLO: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Hi"}],
}
CACHED = {"type": "ephemeral", "ttl": "1h"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "one"}
PNG = {"type": "base64", "media_type": "image/png", "data": "QUJD"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "sig=="}
OPENAI_REQUEST: TypeAdapter[Any] = TypeAdapter(CompletionCreateParams)


def to_anthropic(body: dict[str, Any]) -> dict[str, Any]:
    request = anthropic_messages.parse_request(body)
    built = anthropic_messages.build_request(request, model=body["model"])
    assert built.dropped == ()
    said: dict[str, Any] = json.loads(built.body)
    return said


def to_openai(body: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(what an OpenAI model is asked, what is left out); the SDK's own types must agree."""
    built = openai_chat.build_request(anthropic_messages.parse_request(body), model="gpt-4o")
    said: dict[str, Any] = json.loads(built.body)
    OPENAI_REQUEST.validate_python({**said, "stream": False})
    return said, tuple(built.dropped)


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A request with every string of content as the one block that it is short for."""
    said = {**body, "messages": [{**each, "content": blocks(each)} for each in body["messages"]]}
    if "system" in body:
        said["system"] = blocks({"content": body["system"]})
    return said


def blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [
        {**each, "content": blocks(each)} if isinstance(each.get("content"), str) else each
        for each in content
    ]


# Conversations as they are really led: calls, then a turn that begins with all their results.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MARK = {"cache_control": st.just(CACHED) | st.just({"type": "ephemeral"})}
TEXT = st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}, optional=MARK)
SOURCES = st.sampled_from([PNG, {"type": "url", "url": "https://example.com/cat.png"}])
IMAGE = st.fixed_dictionaries({"type": st.just("image"), "source": SOURCES}, optional=MARK)
DOCUMENT = st.fixed_dictionaries(
    {
        "type": st.just("document"),
        "source": st.sampled_from([PDF, {"type": "text", "media_type": "text/plain", "data": "x"}]),
    },
    optional={**MARK, "title": TEXTS},
)
THINKING = st.builds(
    lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature},
    st.text(max_size=8),
    TEXTS,
) | st.builds(lambda data: {"type": "redacted_thinking", "data": data}, TEXTS)
USER = st.lists(TEXT | IMAGE | DOCUMENT, min_size=1, max_size=3)
INPUTS = st.dictionaries(TEXTS, JSON, max_size=3)
CONTENT = TEXTS | st.lists(TEXT | IMAGE, min_size=1, max_size=2)
NATIVE = st.sampled_from(
    [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "text", "text": "so", "citations": [{"type": "page_location", "cited_text": "x"}]},
    ]
)


@st.composite
def conversations(draw: st.DrawFn, *, native: bool = True) -> list[dict[str, Any]]:
    asides = TEXT | THINKING | NATIVE if native else TEXT | THINKING
    messages: list[dict[str, Any]] = [{"role": "user", "content": draw(USER | TEXTS)}]
    for turn in range(draw(st.integers(0, 3))):
        ids = [f"toolu_{turn}_{at}" for at in range(draw(st.integers(0, 3)))]
        calls = [
            {"type": "tool_use", "id": id, "name": "f", "input": draw(INPUTS), **draw(OPTIONAL)}
            for id in ids
        ]
        said = draw(st.lists(asides, min_size=0 if calls else 1, max_size=3))
        mixed = draw(st.permutations([*said, *calls]))
        messages.append({"role": "assistant", "content": mixed})
        results = [draw(results_of(id)) for id in ids]
        messages.append({"role": "user", "content": [*results, *draw(USER)]})
    return messages


OPTIONAL = st.fixed_dictionaries({}, optional=MARK)


def results_of(id: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just("tool_result"), "tool_use_id": st.just(id), "content": CONTENT},
        optional={**MARK, "is_error": st.booleans()},
    )


TOOLS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["f", "g", "mcp__x__y"]),
            "input_schema": st.just({"type": "object", "properties": {"a": {"type": "string"}}}),
        },
        optional={**MARK, "description": TEXTS, "strict": st.booleans()},
    ),
    min_size=1,
    max_size=3,
)
CHOICE = st.sampled_from(
    [
        {"type": "auto"},
        {"type": "any", "disable_parallel_tool_use": True},
        {"type": "none"},
        {"type": "tool", "name": "f"},
    ]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "system": TEXTS | st.lists(TEXT, min_size=1, max_size=2),
    "stop_sequences": st.lists(st.sampled_from(["a", "b", "END"]), min_size=1, max_size=3),
    "temperature": st.floats(0, 1),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(0, 100),
    "metadata": st.builds(lambda user: {"user_id": user}, TEXTS),
    "service_tier": st.sampled_from(["auto", "standard_only"]),
    "stream": st.just(True),
    "thinking": st.sampled_from(
        [
            {"type": "enabled", "budget_tokens": 1_024},
            {"type": "adaptive", "display": "omitted"},
            {"type": "disabled"},
        ]
    ),
    "output_config": st.sampled_from(
        [
            {"effort": "max"},
            {"effort": "low", "task_budget": {"type": "tokens", "total": 9}},
            {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        ]
    ),
    "tool_choice": CHOICE,
    "container": TEXTS,
    "context_management": JSON.filter(lambda value: value is not None),
}


def requests(*, native: bool) -> st.SearchStrategy[dict[str, Any]]:
    own = [SEARCH] if native else []
    return st.builds(
        lambda messages, tools, rest: {
            "model": "claude",
            "max_tokens": 2_000,
            "messages": messages,
            "tools": [*tools, *own],
            **rest,
        },
        conversations(native=native),
        TOOLS,
        st.fixed_dictionaries({}, optional=FIELDS),
    )


@settings(max_examples=500, deadline=None)
@given(requests(native=True))
def test_an_anthropic_model_is_asked_what_the_caller_asked(body: dict[str, Any]) -> None:
    assert plain(to_anthropic(body)) == plain(body)


@settings(max_examples=500, deadline=None)
@given(requests(native=False))
def test_an_openai_model_is_asked_everything_that_it_has_words_for(body: dict[str, Any]) -> None:
    said, dropped = to_openai(body)

    text = json.dumps(said)
    for word in ("cache_control", "thinking_blocks", "signature", "provider_specific_fields"):
        assert word not in text
    calls = [c for m in said["messages"] for c in m.get("tool_calls") or ()]
    results = [m["tool_call_id"] for m in said["messages"] if m["role"] == "tool"]
    uses = [b for m in plain(body)["messages"] for b in m["content"] if b["type"] == "tool_use"]
    assert [(c["id"], json.loads(c["function"]["arguments"])) for c in calls] == [
        (use["id"], use["input"]) for use in uses
    ]
    assert sorted(results) == sorted(call["id"] for call in calls)
    assert results_follow_calls(said["messages"])
    assert pictures(said) == pictures(body)
    assert {"thinking", "top_k", "container"}.intersection(body) <= set(dropped)


def results_follow_calls(messages: list[dict[str, Any]]) -> bool:
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        elif waiting:
            return False
        waiting += [call["id"] for call in message.get("tool_calls") or ()]
    return waiting == []


def pictures(body: dict[str, Any]) -> int:
    """How many images a request of either API shows."""
    text = json.dumps(body["messages"])
    return text.count('"type": "image"') + text.count('"type": "image_url"')


@pytest.mark.parametrize("spoken", ["anthropic", "openai"])
def test_what_becomes_canonical_can_be_counted(spoken: str) -> None:
    thought = {"role": "assistant", "content": [THOUGHT, CALL]}
    messages = [*HELLO["messages"], thought, {"role": "user", "content": [RESULT]}]
    with_thought = anthropic_messages.parse_request({**HELLO, "messages": messages})
    messages[1] = {"role": "assistant", "content": [CALL]}
    without = anthropic_messages.parse_request({**HELLO, "messages": messages})

    counts = [
        count_messages(each.messages, [], "gpt-4o").tokens for each in (with_thought, without)
    ]

    assert counts[0] > counts[1] > 10


def test_betas_go_to_an_anthropic_model_alone() -> None:
    request = anthropic_messages.parse_request(HELLO, ["one-2025-01-01", "two-2025-02-02"])

    built = anthropic_messages.build_request(request, model="claude")
    other = openai_chat.build_request(request, model="gpt-4o")

    assert built.headers["anthropic-beta"] == "one-2025-01-01,two-2025-02-02"
    assert b"beta" not in built.body
    assert "anthropic-beta" not in other.headers
    assert other.dropped == ("anthropic_beta",)


@pytest.mark.parametrize("header", ["a b", "x\r\ny: z", ",".join(f"b{at}" for at in range(40))])
def test_a_beta_header_that_is_no_list_of_names_is_refused(header: str) -> None:
    with pytest.raises(BadRequest) as refused:
        anthropic_messages.read_betas(header)

    assert refused.value.param == "anthropic-beta"


def test_a_cap_of_nought_stays_nought() -> None:
    assert to_anthropic({**HELLO, "max_tokens": 0})["max_tokens"] == 0


def test_a_system_turn_in_the_middle_stays_where_it_is() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Go"},
    ]
    body = {**HELLO, "messages": messages}

    assert plain(to_anthropic(body)) == plain(body)
    said, _ = to_openai(body)
    assert [message["role"] for message in said["messages"]] == [m["role"] for m in messages]


def test_unsigned_thinking_of_another_model_is_not_sent_to_one_that_checks_it() -> None:
    unsigned = {**THOUGHT, "signature": ""}
    said = {"role": "assistant", "content": [unsigned, {"type": "text", "text": "Yes"}]}

    body = to_anthropic({**HELLO, "messages": [*HELLO["messages"], said]})

    assert body["messages"][1]["content"] == [{"type": "text", "text": "Yes"}]


def test_openai_gets_pictures_of_results_in_the_user_message_after_all_results() -> None:
    second = {**CALL, "id": "t2"}
    picture = {**RESULT, "content": [{"type": "image", "source": PNG}], "is_error": True}
    heard = [picture, {**RESULT, "tool_use_id": "t2"}, {"type": "text", "text": "and?"}]
    messages = [
        *HELLO["messages"],
        {"role": "assistant", "content": [THOUGHT, CALL, second]},
        {"role": "user", "content": heard},
    ]

    said, dropped = to_openai({**HELLO, "messages": messages, "tools": [TOOL]})

    _, _, first, other, after = said["messages"]
    assert (first["tool_call_id"], other["tool_call_id"]) == ("t1", "t2")
    assert other["content"] == "one"
    assert [part["type"] for part in after["content"]] == ["text", "image_url", "text"]
    assert after["content"][1]["image_url"] == {"url": "data:image/png;base64,QUJD"}
    assert after["content"][2]["text"] == "and?"
    assert dropped == ("is_error", "thinking_blocks")


def test_openai_gets_a_pdf_as_a_file_and_a_text_as_text() -> None:
    text = {"type": "text", "media_type": "text/plain", "data": "Once."}
    parts = [
        {"type": "document", "source": PDF, "title": "report"},
        {"type": "document", "source": text, "title": "story"},
    ]

    said, _ = to_openai({**HELLO, "messages": [{"role": "user", "content": parts}]})

    file, story = said["messages"][0]["content"]
    assert file["file"] == {
        "filename": "report.pdf",
        "file_data": "data:application/pdf;base64,QUJD",
    }
    assert story == {"type": "text", "text": "story:\nOnce."}


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [SEARCH]},
        {"tools": [{**TOOL, "name": "n" * 65}]},
        {"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "x"}]}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image", "source": {"type": "file", "file_id": "x"}}],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "source": {"type": "url", "url": "https://a.org/x"}}
                    ],
                }
            ]
        },
    ],
    ids=["web search", "long name", "upload", "file id", "document by url"],
)
def test_what_openai_cannot_be_told_is_refused_and_anthropic_is_told(
    change: dict[str, Any],
) -> None:
    body = {**HELLO, **change}

    with pytest.raises(Unsupported):
        to_openai(body)
    assert plain(to_anthropic(body)) == plain(body)


def test_openai_gets_options_by_its_own_names_and_bounds() -> None:
    body = {
        **HELLO,
        "stop_sequences": ["a", "b", "c", "d", "e"],
        "metadata": {"user_id": "u" * 200},
        "output_config": {"effort": "max"},
        "tools": [{**TOOL, "cache_control": CACHED}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    }

    said, dropped = to_openai(body)

    assert said["stop"] == ["a", "b", "c", "d"]
    assert len(said["user"]) == 64
    assert said["reasoning_effort"] == "high"
    assert said["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert (said["tool_choice"], said["parallel_tool_calls"]) == ("required", False)
    assert dropped == ("cache_control", "stop_sequences")


def test_a_caller_of_openais_dialect_is_passed_on_but_for_thinking_and_marks() -> None:
    part = {"type": "text", "text": "Hi", "cache_control": CACHED}
    talk = [
        {"role": "user", "content": [part]},
        {"role": "assistant", "content": "Yes", "thinking_blocks": [THOUGHT], "reasoning": "x"},
        {"role": "user", "content": "Go"},
    ]
    request = openai_chat.parse_request({"model": "m", "messages": talk, "top_k": 3})

    built = openai_chat.build_request(request, model="m")

    said = json.loads(built.body)
    assert said["messages"][0]["content"] == [{"type": "text", "text": "Hi"}]
    assert said["messages"][1] == {"role": "assistant", "content": "Yes", "reasoning": "x"}
    assert said["top_k"] == 3
    assert built.dropped == ("cache_control", "thinking_blocks")


def block(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [fields]}]}


def answered(**fields: Any) -> dict[str, Any]:
    return {"messages": [*HELLO["messages"], {"role": "assistant", "content": [fields]}]}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [7]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": [], "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        (block(), "messages.0.content.0"),
        (block(type="image_url", image_url="http://127.0.0.1/"), "messages.0.content.0"),
        (block(type="text"), "messages.0.content.0.text"),
        (block(type="image"), "messages.0.content.0.source"),
        (block(type="image", source={"type": "base64"}), "messages.0.content.0.source"),
        (
            block(type="image", source={"type": "url", "url": "http://127.0.0.1/x"}),
            "messages.0.content.0.source.url",
        ),
        (
            block(type="document", source={"type": "url", "url": "http://169.254.169.254/"}),
            "messages.0.content.0.source.url",
        ),
        (block(type="tool_use"), "messages.0.content.0"),
        (block(type="tool_result"), "messages.0.content.0.tool_use_id"),
        (block(**{**RESULT, "content": 7}), "messages.0.content.0.content"),
        (block(**{**RESULT, "content": [7]}), "messages.0.content.0.content.0"),
        (block(**{**RESULT, "is_error": "no"}), "messages.0.content.0.is_error"),
        (answered(type="tool_result"), "messages.1.content.0"),
        (answered(type="tool_use", name="f", input={}), "messages.1.content.0.id"),
        (answered(type="tool_use", id="t", name="f", input="x"), "messages.1.content.0.input"),
        (answered(type="thinking", thinking="x"), "messages.1.content.0.signature"),
        (answered(type="redacted_thinking"), "messages.1.content.0.data"),
        ({"system": 7}, "system"),
        ({"system": [{"type": "image", "source": PNG}]}, "system.0"),
        ({"system": [{"type": "search_result"}]}, "system.0"),
        ({"stream": 1}, "stream"),
        ({"temperature": 1.5}, "temperature"),
        ({"top_p": "x"}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"metadata": {"other": 1}}, "metadata"),
        ({"metadata": {"user_id": 7}}, "metadata.user_id"),
        ({"service_tier": "gold"}, "service_tier"),
        ({"speed": "fast"}, "speed"),
        ({"thinking": True}, "thinking.type"),
        ({"thinking": {"type": []}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "thinking.budget_tokens"),
        ({"output_config": 7}, "output_config"),
        ({"output_config": {"effort": 7}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
        ({"tools": {}}, "tools"),
        ({"tools": [7]}, "tools.0"),
        ({"tools": [{"name": "a b", "input_schema": {}}]}, "tools.0.name"),
        ({"tools": [{"name": "f", "input_schema": {}}]}, "tools.0.input_schema"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools.0.type"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {"type": []}}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"api_base": "http://evil"}, "api_base"),
        ({"top_k": 2**60}, "top_k"),
    ],
    ids=lambda value: json.dumps(value, default=str)[:60],
)
def test_a_bad_field_is_refused_by_its_name(change: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        anthropic_messages.parse_request({**HELLO, **change})

    assert refused.value.param == param


NAMES = """role content type text user assistant system tool_use tool_result thinking signature
redacted_thinking data id name input input_schema tools tool_choice auto any image document source
url base64 media_type stop_sequences metadata user_id output_config effort format json_schema
schema cache_control is_error tool_use_id function stream temperature title"""
WORDS = st.sampled_from(NAMES.split())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10) | st.floats(0, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
BLOCK = st.builds(
    lambda kind, rest: {**rest, "type": kind}, WORDS, st.dictionaries(WORDS, ANYTHING, max_size=4)
)
BODY = st.builds(
    lambda messages, rest: {**rest, "model": "claude", "max_tokens": 9, "messages": messages},
    st.lists(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["user", "assistant", "system"]),
                "content": WORDS | st.lists(BLOCK | ANYTHING, max_size=3) | ANYTHING,
            }
        ),
        min_size=1,
        max_size=3,
    ),
    st.dictionaries(WORDS | st.just("thinking"), ANYTHING, max_size=4),
)


@settings(max_examples=500, deadline=None)
@given(BODY)
def test_any_body_is_built_and_counted_or_refused_but_never_breaks(body: dict[str, Any]) -> None:
    try:
        request = anthropic_messages.parse_request(body)
    except BadRequest:
        return
    count_messages(request.messages, request.options.get("tools") or [], request.model)
    anthropic_messages.build_request(request, model="m")
    try:
        openai_chat.build_request(request, model="m")
    except BadRequest:
        return


def answer_of(message: dict[str, Any], finish: str = "stop", **usage: Any) -> dict[str, Any]:
    """What a caller of Anthropic's API gets for an OpenAI model's message, by the SDK's types."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    response = ChatResponse("c1", "gpt-4o", 1, [choice], Usage(**usage))
    said = anthropic_messages.write_response(response)
    Message.model_validate(said, strict=True)
    return said


def test_an_openai_answer_becomes_blocks_in_order() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = {"role": "assistant", "content": "So.", "tool_calls": [call]}

    said = answer_of(
        {**message, "reasoning_content": "Hm"},
        "tool_calls",
        input_tokens=100,
        output_tokens=7,
        cache_read_tokens=60,
        cache_write_tokens=30,
        cache_write_1h_tokens=10,
    )

    assert said["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "text", "text": "So."},
        CALL,
    ]
    assert (said["id"], said["stop_reason"]) == ("msg_c1", "tool_use")
    assert said["usage"] == {
        "input_tokens": 10,
        "output_tokens": 7,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 60,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
    }


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("unheard-of", "end_turn"),
    ],
)
def test_a_finish_is_said_as_a_stop_reason(finish: str, reason: str) -> None:
    assert answer_of({"role": "assistant", "content": "x"}, finish)["stop_reason"] == reason


def test_a_forced_call_that_ends_with_stop_is_a_tool_use_all_the_same() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}

    said = answer_of({"role": "assistant", "content": None, "tool_calls": [call]})

    assert said["stop_reason"] == "tool_use"
    assert said["content"] == [{**CALL, "input": {}}]


@pytest.mark.parametrize("arguments", ["{", "[1]", "7"])
def test_arguments_that_are_no_object_are_kept_and_marked(arguments: str) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": arguments}}

    said = answer_of({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")

    assert said["content"][0]["input"] == {"invalid_json": arguments}


def test_a_refusal_is_text_with_its_own_stop_reason() -> None:
    said = answer_of({"role": "assistant", "content": None, "refusal": "No."})

    assert said["content"] == [{"type": "text", "text": "No."}]
    assert said["stop_reason"] == "refusal"


OWN = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        THOUGHT,
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "text", "text": "So.", "citations": None},
        CALL,
    ],
    "stop_reason": "pause_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5, "server_tool_use": {"web_search_requests": 1}},
}


def test_an_anthropic_answer_comes_back_as_it_was() -> None:
    assert anthropic_messages.write_response(anthropic_messages.read_response(OWN)) == OWN


def test_an_answer_that_was_changed_on_the_way_is_not_given_as_it_was() -> None:
    response = anthropic_messages.read_response(OWN)
    choice = {**response.choices[0], "message": {"role": "assistant", "content": "Hidden."}}
    changed = ChatResponse(
        response.id, response.model, 1, [choice], response.usage, native=response.native
    )

    said = anthropic_messages.write_response(changed)

    assert said["content"] == [{"type": "text", "text": "Hidden."}]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_an_error_has_anthropics_type_for_its_status(status: int, kind: str) -> None:
    assert anthropic_messages.write_error(status, "No.", "r1") == {
        "type": "error",
        "error": {"type": kind, "message": "No."},
        "request_id": "r1",
    }
