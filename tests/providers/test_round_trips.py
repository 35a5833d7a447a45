"""Five hundred conversations with tools: answered there, kept here, sent back, nothing lost."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.dialects import anthropic_messages, gemini
from providers.types import ChatRequest
from tests.providers.test_gemini_conversations import STEP, WORD, conversations, heard, told
from tests.providers.test_gemini_requests import MODEL

STEPS = st.lists(STEP, min_size=1, max_size=4)


def result(call_id: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def of_anthropic(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": blocks,
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def of_gemini(parts: list[dict[str, Any]]) -> dict[str, Any]:
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [{"index": 0, "content": content, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
        "modelVersion": MODEL,
    }


@settings(max_examples=500, deadline=None)
@given(STEPS)
def test_an_answer_of_anthropic_goes_back_to_it_as_it_came(steps: list[Any]) -> None:
    messages: list[Any] = [{"role": "user", "content": "Hi"}]
    expected: list[Any] = []
    for number, (text, calls) in enumerate(steps):
        blocks: list[dict[str, Any]] = [
            {"type": "thinking", "thinking": f"Hm {number}", "signature": f"sig{number}"}
        ]
        blocks += [{"type": "text", "text": text}] if text else []
        blocks += [
            {"type": "tool_use", "id": f"toolu_{number}_{at}", "name": name, "input": arguments}
            for at, (name, arguments, _) in enumerate(calls)
        ]
        read = anthropic_messages.read_response(of_anthropic(blocks))
        messages.append(read.choices[0]["message"])
        results = [(f"toolu_{number}_{at}", said) for at, (_, _, said) in enumerate(calls)]
        messages += [result(*each) for each in results]
        expected += [blocks, results]

    built = anthropic_messages.build_request(ChatRequest("c", messages, max_tokens=9), model="c")

    sent = json.loads(built.body)["messages"]
    assert [turn["role"] for turn in sent] == ["user", *["assistant", "user"] * len(steps)]
    assert [
        turn["content"]
        if turn["role"] == "assistant"
        else [(each["tool_use_id"], text_of(each["content"])) for each in turn["content"]]
        for turn in sent[1:]
    ] == expected


def text_of(content: Any) -> str:
    return content if isinstance(content, str) else "".join(each["text"] for each in content)


@settings(max_examples=500, deadline=None)
@given(STEPS, st.lists(WORD, min_size=4, max_size=4))
def test_an_answer_of_gemini_goes_back_to_it_as_it_came(
    steps: list[Any], signatures: list[str]
) -> None:
    messages: list[Any] = [{"role": "user", "content": "Hi"}]
    expected: list[Any] = [("user", "Hi")]
    for number, (text, calls) in enumerate(steps):
        ids = [f"call_{number}_{at}" for at in range(len(calls))]
        parts: list[dict[str, Any]] = [{"text": text}] if text else []
        expected += [("assistant", text)] if text else []
        for at, (name, arguments, _) in zip(ids, calls, strict=True):
            call = {"id": at, "name": name, "args": arguments}
            parts.append({"functionCall": call, "thoughtSignature": f"{signatures[number]} {at}"})
            expected.append(("call", at, name, arguments, f"{signatures[number]} {at}"))
        messages.append(gemini.read_response(of_gemini(parts)).choices[0]["message"])
        for at, (name, _, said) in zip(ids, calls, strict=True):
            messages.append(result(at, said))
            expected.append(("result", at, name, said))

    built = gemini.build_request(ChatRequest(MODEL, messages), model=MODEL)

    assert heard(json.loads(built.body)["contents"]) == expected


@settings(max_examples=500, deadline=None)
@given(conversations())
def test_a_history_of_openai_is_read_back_from_anthropics_words(messages: list[Any]) -> None:
    request = ChatRequest("c", messages, max_tokens=9)
    body = json.loads(anthropic_messages.build_request(request, model="c").body)

    back = anthropic_messages.parse_request(body)

    assert spoken(back.messages) == spoken(messages)


def spoken(messages: Any) -> list[Any]:
    """What is said, called and answered, in order; signatures of Gemini's are not Anthropic's."""
    unsigned = [
        {
            **message,
            "content": text_of(message.get("content") or ""),
            "tool_calls": [
                {**call, "extra_content": {"google": {"thought_signature": ""}}}
                for call in message.get("tool_calls") or ()
            ],
        }
        for message in messages
    ]
    return told(unsigned)
