"""Conversations with tools: what OpenAI's shape says arrives at Gemini, whole and in order."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.dialects import gemini
from providers.types import ChatRequest
from tests.providers.test_gemini_requests import MODEL, call, carried

WORD = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORD, inner, max_size=2),
    max_leaves=6,
)
STEP = st.tuples(
    WORD | st.none(),
    st.lists(
        st.tuples(st.sampled_from("fgh"), st.dictionaries(WORD, VALUE, max_size=3), WORD),
        min_size=1,
        max_size=3,
    ),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Questions, calls in parallel, their results in any order, signed or not."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": draw(WORD)}]
    for number, (text, steps) in enumerate(draw(st.lists(STEP, max_size=4))):
        ids = [f"call_{number}_{at}" for at in range(len(steps))]
        calls = [
            call(call_id, name, json.dumps(arguments), **carried(f"sig {call_id}"))
            for call_id, (name, arguments, _) in zip(ids, steps, strict=True)
        ]
        messages.append({"role": "assistant", "content": text, "tool_calls": calls})
        results = [
            {"role": "tool", "tool_call_id": call_id, "content": result}
            for call_id, (_, _, result) in zip(ids, steps, strict=True)
        ]
        messages += draw(st.permutations(results))
    return messages


def told(messages: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a conversation of OpenAI's shape says, in order."""
    names: dict[str, str] = {}
    facts: list[tuple[Any, ...]] = []
    for message in messages:
        if message["role"] == "tool":
            call_id = message["tool_call_id"]
            facts.append(("result", call_id, names[call_id], message["content"]))
            continue
        if message.get("content"):
            facts.append((message["role"], message["content"]))
        for each in message.get("tool_calls") or ():
            name, arguments = each["function"]["name"], json.loads(each["function"]["arguments"])
            names[each["id"]] = name
            signature = each["extra_content"]["google"]["thought_signature"]
            facts.append(("call", each["id"], name, arguments, signature))
    return facts


def heard(contents: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The same of Gemini's shape."""
    facts: list[tuple[Any, ...]] = []
    for turn in contents:
        for part in turn["parts"]:
            match part:
                case {"functionCall": {"id": call_id, "name": name, "args": args}}:
                    facts.append(("call", call_id, name, args, part["thoughtSignature"]))
                case {"functionResponse": {"id": call_id, "name": name, "response": response}}:
                    facts.append(("result", call_id, name, response["output"]))
                case {"text": text}:
                    speaker = {"user": "user", "model": "assistant"}[turn["role"]]
                    facts.append((speaker, text))
    return facts


@settings(max_examples=100)
@given(conversations())
def test_a_conversation_with_tools_arrives_whole_and_in_order(
    messages: list[dict[str, Any]],
) -> None:
    request = ChatRequest(MODEL, messages)

    contents = json.loads(gemini.build_request(request, model=MODEL).body)["contents"]

    assert heard(contents) == told(messages)
    assert [turn["role"] for turn in contents] == ["user", "model"] * (len(contents) // 2) + [
        "user"
    ] * (len(contents) % 2)
