"""What the tests of Responses share: a request, an answer, a provider's stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from providers import client
from providers.catalog import PROVIDERS
from providers.dialects import openai_responses
from providers.dialects.openai_responses import StreamReader, StreamWriter, event_bytes
from providers.routing import Target
from providers.sse import SseSplitter
from providers.types import ChatChunk, ChatRequest, ChatResponse, HttpRequest, Usage

HELLO: dict[str, Any] = {"model": "gpt-5", "input": "Hi"}
IMAGE = {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "low"}
HI = {"role": "user", "content": "Hi"}
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
DOCUMENT: dict[str, Any] = {
    "model": "gpt-5",
    "input": "Hi",
    "instructions": "Be kind.",
    "max_output_tokens": 99,
    "temperature": 0.5,
    "metadata": {"a": "b"},
    "reasoning": {"effort": "low"},
    "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": None}],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "f"}],
    },
    "text": {"verbosity": "low"},
    "user": "ann",
    "store": True,
}
REQUEST = openai_responses.parse_request(DOCUMENT)
USAGE = Usage(9, 4, cache_read_tokens=3, reasoning_tokens=2)
TOLD_USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 13,
}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CUSTOM = {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}


def answer(message: dict[str, Any], finish: str = "stop", **rest: Any) -> ChatResponse:
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None, **rest}
    return ChatResponse("chatcmpl-1", "gpt-5", 7, [choice], USAGE)


def written(response: ChatResponse) -> dict[str, Any]:
    document = openai_responses.write_response(response, REQUEST, response_id="resp_1")
    Response.model_validate(document)
    return document


def chunk(finish: str | None = None, **delta: Any) -> ChatChunk:
    return ChatChunk("c", "gpt-5", 7, [{"index": 0, "delta": delta, "finish_reason": finish}])


def events_of(chunks: Sequence[ChatChunk], request: ChatRequest = REQUEST) -> list[dict[str, Any]]:
    """What our writer makes of the chunks, each event accepted by OpenAI's own types."""
    writer = StreamWriter(request, response_id="resp_1")
    events = [event for each in chunks for event in writer.write(each)] + writer.finish(USAGE)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        EVENTS.validate_python(event)
    return events


def read(body: bytes, size: int = 10_000) -> list[ChatChunk]:
    splitter, reader = SseSplitter(), StreamReader()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return [
        each for piece in pieces for event in splitter.feed(piece) for each in reader.feed(event)
    ]


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(event_bytes(event) for event in events)


def kinds(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def built(document: dict[str, Any], provider: str = "openai-responses") -> HttpRequest:
    request = openai_responses.parse_request(document)
    return client.build(request, Target(PROVIDERS[provider], document["model"], "", ""))


def body_for(document: dict[str, Any], provider: str = "openai-responses") -> dict[str, Any]:
    body: dict[str, Any] = json.loads(built(document, provider).body)
    return body


def item_event(kind: str, index: int, item: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "type": f"response.output_item.{kind}",
        "output_index": index,
        "item": item,
        "sequence_number": number,
    }


SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "x"},
}
THOUGHT = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [
        {"type": "summary_text", "text": "One"},
        {"type": "summary_text", "text": "Two"},
    ],
    "encrypted_content": "gAAA",
}
PART = {"type": "output_text", "text": "Grüße \u2028🎉", "annotations": [], "logprobs": []}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "phase": "final_answer",
    "content": [PART],
}
FUNCTION_CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "c1",
    "name": "f",
    "arguments": '{"a": 1}',
}
NATIVE = {
    "id": "resp_up",
    "object": "response",
    "created_at": 7,
    "model": "gpt-5-2025",
    "status": "completed",
    "service_tier": "default",
    "output": [THOUGHT, SEARCH, MESSAGE, FUNCTION_CALL],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "store": True,
    "usage": TOLD_USAGE,
}
SUMMARY = {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0}
WORDS = {"item_id": "msg_1", "output_index": 2, "content_index": 0}
ARGUMENTS = {"item_id": "fc_1", "output_index": 3}
OWN_EVENTS = [
    item_event("added", 0, {**THOUGHT, "summary": []}, 2),
    {**SUMMARY, "summary_index": 0, "delta": "One", "sequence_number": 3},
    {**SUMMARY, "summary_index": 1, "delta": "Two", "sequence_number": 4},
    item_event("done", 0, THOUGHT, 5),
    item_event("added", 1, {**SEARCH, "status": "in_progress"}, 6),
    {
        "type": "response.web_search_call.searching",
        "item_id": "ws_1",
        "output_index": 1,
        "sequence_number": 7,
    },
    item_event("done", 1, SEARCH, 8),
    item_event("added", 2, {**MESSAGE, "content": []}, 9),
    {
        "type": "response.content_part.added",
        **WORDS,
        "part": {**PART, "text": ""},
        "sequence_number": 10,
    },
    {
        "type": "response.output_text.delta",
        **WORDS,
        "delta": PART["text"],
        "logprobs": [],
        "sequence_number": 11,
    },
    {
        "type": "response.output_text.done",
        **WORDS,
        "text": PART["text"],
        "logprobs": [],
        "sequence_number": 12,
    },
    item_event("done", 2, MESSAGE, 13),
    item_event("added", 3, {**FUNCTION_CALL, "arguments": ""}, 14),
    {
        "type": "response.function_call_arguments.delta",
        **ARGUMENTS,
        "delta": '{"a": ',
        "sequence_number": 15,
    },
    {
        "type": "response.function_call_arguments.delta",
        **ARGUMENTS,
        "delta": "1}",
        "sequence_number": 16,
    },
    item_event("done", 3, FUNCTION_CALL, 17),
]
BEGUN = {**NATIVE, "status": "in_progress", "output": [], "usage": None}
NATIVE_STREAM = [
    {"type": "response.created", "response": BEGUN, "sequence_number": 0},
    {"type": "response.in_progress", "response": BEGUN, "sequence_number": 1},
    *OWN_EVENTS,
    {"type": "response.completed", "response": NATIVE, "sequence_number": 18},
]
