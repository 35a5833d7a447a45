"""Whatever is said in Responses, in canonical form or in a stream comes back the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.dialects import openai_chat, openai_responses
from providers.errors import BadRequest
from providers.tokens import count_messages
from tests.providers.responses import (
    CALL,
    CUSTOM,
    HELLO,
    HI,
    IMAGE,
    USAGE,
    answer,
    body_for,
    built,
    chunk,
    events_of,
    read,
    stream,
    written,
)

TEXT = st.text(min_size=1, max_size=12)
USERS_PART = st.one_of(
    st.builds(lambda text: {"type": "input_text", "text": text}, TEXT),
    st.just(IMAGE),
    st.builds(lambda data: {"type": "input_file", "file_data": data, "filename": "a.pdf"}, TEXT),
)
USERS = st.builds(
    lambda role, content: {"type": "message", "role": role, "content": content},
    st.sampled_from(["user", "system", "developer"]),
    TEXT | st.lists(USERS_PART, min_size=1, max_size=3),
)
CITED = {
    "type": "url_citation",
    "url": "https://e.org",
    "title": "t",
    "start_index": 0,
    "end_index": 1,
}
ASSISTANTS_PART = st.one_of(
    st.builds(
        lambda text, cited: {"type": "output_text", "text": text, "annotations": cited},
        TEXT,
        st.sampled_from([[], [CITED]]),
    ),
    st.builds(lambda text: {"type": "refusal", "refusal": text}, TEXT),
)
ASSISTANTS = st.builds(
    lambda content, rest: {"type": "message", "role": "assistant", "content": content, **rest},
    st.lists(ASSISTANTS_PART, min_size=1, max_size=2),
    st.sampled_from([{}, {"phase": "commentary"}]),
)
THOUGHTS = st.builds(
    lambda text: {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": "gAAA",
    },
    TEXT,
)
CALLS = st.one_of(
    st.builds(
        lambda name, text: {"type": "function_call", "name": name, "arguments": json.dumps(text)},
        TEXT,
        TEXT,
    ),
    st.builds(lambda text: {"type": "custom_tool_call", "name": "p", "input": text}, TEXT),
)


@st.composite
def tool_turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Thoughts, words and calls in any order, then a result for each call, in any order."""
    said = draw(st.lists(THOUGHTS | ASSISTANTS | CALLS, min_size=1, max_size=5))
    items = [
        {**item, "call_id": f"c{at}"} if "call" in item["type"] else item
        for at, item in enumerate(said)
    ]
    results = [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": draw(TEXT)}
        for item in items
        if "call_id" in item
    ]
    return items + draw(st.permutations(results))


TURNS = tool_turns() | st.lists(USERS, min_size=1, max_size=2)
CONVERSATION = st.lists(TURNS, min_size=1, max_size=3).map(
    lambda turns: [
        {**item, "call_id": f"t{at}_{item['call_id']}"} if "call_id" in item else item
        for at, turn in enumerate(turns)
        for item in turn
    ]
)


@settings(max_examples=150)
@given(CONVERSATION)
def test_any_conversation_comes_back_item_by_item(items: list[dict[str, Any]]) -> None:
    assert body_for({**HELLO, "input": items})["input"] == items


@settings(max_examples=100)
@given(CONVERSATION)
def test_any_conversation_is_plain_chat_that_can_be_counted(items: list[dict[str, Any]]) -> None:
    request = openai_responses.parse_request({**HELLO, "input": items})

    body = body_for({**HELLO, "input": items}, "openai")

    assert count_messages(request.messages, [], request.model).tokens > 0
    openai = openai_chat.parse_request(
        {**body, "messages": [m for m in body["messages"] if "tool_calls" not in m] or [HI]}
    )
    assert openai.model == "gpt-5"
    names = {name for message in body["messages"] for name in message}
    assert names <= {"role", "content", "tool_calls", "tool_call_id"}
    called = [c["id"] for m in body["messages"] for c in m.get("tool_calls", ())]
    assert called == [item["call_id"] for item in items if item["type"].endswith("_call")]


NAMES = """role content type text user assistant function name arguments tools call_id id input
input_text output_text input_image image_url input_file file_data message reasoning summary output
function_call function_call_output custom custom_tool_call encrypted_content namespace format
json_schema schema effort verbosity include auto tool_choice stream allowed_tools mode native
thinking_blocks tool_calls temperature compaction computer_call_output"""
WORDS = st.sampled_from(NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10) | st.floats(0, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
ITEM = st.one_of(
    st.dictionaries(WORDS, JSON, max_size=5),
    st.tuples(CONVERSATION, st.dictionaries(WORDS, JSON, max_size=2)).map(
        lambda pair: {**pair[0][0], **pair[1]}
    ),
)
BODY = st.builds(
    lambda items, rest: {**rest, "model": "gpt-5", "input": items},
    st.lists(ITEM, min_size=1, max_size=3),
    st.dictionaries(WORDS | st.sampled_from(["text", "reasoning", "metadata"]), JSON, max_size=4),
)


@settings(max_examples=250)
@given(BODY, st.sampled_from(["openai", "openai-responses", "anthropic"]))
def test_any_body_is_built_or_refused_but_never_breaks(body: dict[str, Any], provider: str) -> None:
    try:
        request = openai_responses.parse_request(body)
        count_messages(request.messages, request.options.get("tools") or [], request.model)
        built(body, provider)
    except BadRequest:
        return


MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXT},
    optional={
        "refusal": TEXT,
        "tool_calls": st.lists(st.sampled_from([CALL, CUSTOM]), min_size=1, max_size=3),
        "thinking_blocks": st.just(
            [
                {
                    "id": "rs_1",
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": "Hm"}],
                    "encrypted_content": "gAAA",
                }
            ]
        ),
        "annotations": st.just(
            [
                {
                    "type": "url_citation",
                    "url_citation": {
                        "url": "https://e.org",
                        "title": "t",
                        "start_index": 0,
                        "end_index": 1,
                    },
                }
            ]
        ),
    },
)


@settings(max_examples=150)
@given(MESSAGES, st.sampled_from(["stop", "length", "content_filter"]))
def test_any_answer_reads_back_as_it_was_written(message: dict[str, Any], finish: str) -> None:
    if message["content"] is None:
        message.pop("annotations", None)
    if "thinking_blocks" in message:
        message["reasoning_content"] = "Hm"
    if finish == "stop" and "tool_calls" in message:
        finish = "tool_calls"

    response = openai_responses.read_response(written(answer(message, finish)))

    assert response.choices[0]["message"] == message
    assert response.choices[0]["finish_reason"] == finish
    assert response.usage == USAGE


DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXT),
    st.builds(lambda text: {"reasoning_content": text}, TEXT),
    st.builds(lambda text: {"refusal": text}, TEXT),
    st.builds(
        lambda at, text: {
            "tool_calls": [
                {"index": at, "id": f"c{at}", "function": {"name": "", "arguments": text}}
            ]
        },
        st.integers(0, 2),
        TEXT,
    ),
)


@settings(max_examples=150)
@given(st.lists(DELTAS, max_size=8), st.integers(1, 40))
def test_any_stream_reads_back_as_it_was_written(deltas: list[Any], size: int) -> None:
    chunks = [chunk(**delta) for delta in deltas]
    events = events_of([*chunks, chunk("stop")])

    heard = read(stream(*events), size)

    texts = {"content": "", "reasoning_content": "", "refusal": ""}
    said, calls = dict(texts), dict[int, str]()
    for delta in deltas:
        for name in texts:
            said[name] += delta.get(name, "")
        for call in delta.get("tool_calls", ()):
            place = call["index"]
            calls[place] = calls.get(place, "") + call["function"]["arguments"]
    read_texts, read_calls = dict(texts), dict[str, str]()
    for each in heard:
        for choice in each.choices:
            for name in texts:
                read_texts[name] += choice["delta"].get(name) or ""
            for call in choice["delta"].get("tool_calls") or ():
                place = str(call["index"])
                text = call["function"]["arguments"]
                read_calls[place] = read_calls.get(place, "") + text
    # Thoughts that other words come between are two items, and so two paragraphs.
    assert read_texts["reasoning_content"].replace("\n", "") == said["reasoning_content"].replace(
        "\n", ""
    )
    assert {**read_texts, "reasoning_content": ""} == {**said, "reasoning_content": ""}
    assert sorted(read_calls.values()) == sorted(calls.values())
    assert heard[-1].is_last
    assert heard[-1].usage == USAGE
    assert heard[-1].choices[0]["finish_reason"] == ("tool_calls" if calls else "stop")
