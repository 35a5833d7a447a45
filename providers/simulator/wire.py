"""Answers in the two wires' own bytes: whole documents and lists of stream events. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from . import vectors
from .answers import Ask, Plan, finish, usage

ARGUMENT_PIECE = 8


def whole(ask: Ask, answer: Plan, id: str, created: int) -> bytes:
    if ask.wire == "embeddings":
        return vectors.whole(ask.body, ask.model)
    return orjson.dumps(
        _whole_openai(ask, answer, id, created)
        if ask.wire == "openai"
        else _whole_anthropic(ask, answer, id)
    )


def _whole_openai(ask: Ask, answer: Plan, id: str, created: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.calls:
        message["tool_calls"] = [
            {
                "id": f"call_{id}_{at}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for at, (name, arguments) in enumerate(answer.calls)
        ]
    document = {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": ask.model,
        "choices": [
            {
                "index": at,
                "message": message,
                "logprobs": None,
                "finish_reason": finish("openai", answer),
            }
            for at in range(ask.answers)
        ],
    }
    counted = usage("openai", ask, answer)
    return document if counted is None else {**document, "usage": counted}


def _whole_anthropic(ask: Ask, answer: Plan, id: str) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if answer.text:
        blocks.append({"type": "text", "text": answer.text})
    for at, (name, arguments) in enumerate(answer.calls):
        blocks.append(
            {
                "type": "tool_use",
                "id": f"toolu_{id}_{at}",
                "name": name,
                "input": orjson.loads(arguments),
            }
        )
    document = {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": blocks,
        "stop_reason": finish("anthropic", answer),
        "stop_sequence": None,
    }
    counted = usage("anthropic", ask, answer)
    return document if counted is None else {**document, "usage": counted}


def pieces(ask: Ask, answer: Plan, id: str, created: int) -> Iterator[bytes]:
    """Head, one per piece of the answer, end: what a stream sends, in order."""
    if ask.wire == "openai":
        return _openai(ask, answer, id, created)
    return _anthropic(ask, answer, id)


def _openai(ask: Ask, answer: Plan, id: str, created: int) -> Iterator[bytes]:
    def chunk(delta: dict[str, Any] | None, end: str | None = None, **more: Any) -> bytes:
        document: dict[str, Any] = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": ask.model,
            "choices": []
            if delta is None
            else [
                {"index": at, "delta": delta, "logprobs": None, "finish_reason": end}
                for at in range(ask.answers)
            ],
        }
        if ask.includes_usage and ask.model != "sim-nousage":
            document["usage"] = None
        return b"data: " + orjson.dumps({**document, **more}) + b"\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in answer.pieces:
        yield chunk({"content": piece})
    for at, (name, arguments) in enumerate(answer.calls):
        function = {"name": name, "arguments": ""}
        call = {"index": at, "id": f"call_{id}_{at}", "type": "function", "function": function}
        yield chunk({"tool_calls": [call]})
        for part in _parts(arguments):
            yield chunk({"tool_calls": [{"index": at, "function": {"arguments": part}}]})
    yield chunk({}, finish("openai", answer))
    counted = usage("openai", ask, answer)
    if ask.includes_usage and counted is not None:
        yield chunk(None, usage=counted)
    yield b"data: [DONE]\n\n"


def _anthropic(ask: Ask, answer: Plan, id: str) -> Iterator[bytes]:
    counted = usage("anthropic", ask, answer) or {}
    message: dict[str, Any] = {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    if counted:
        message["usage"] = {**counted, "output_tokens": 1}
    yield _event("message_start", message=message)
    yield _event("ping")
    index = 0
    if answer.pieces:
        block: dict[str, Any] = {"type": "text", "text": ""}
        yield _event("content_block_start", index=index, content_block=block)
        for piece in answer.pieces:
            delta = {"type": "text_delta", "text": piece}
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
        index += 1
    for at, (name, arguments) in enumerate(answer.calls):
        block = {"type": "tool_use", "id": f"toolu_{id}_{at}", "name": name, "input": {}}
        yield _event("content_block_start", index=index, content_block=block)
        for part in _parts(arguments):
            delta = {"type": "input_json_delta", "partial_json": part}
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
        index += 1
    ending = {"stop_reason": finish("anthropic", answer), "stop_sequence": None}
    yield _event("message_delta", delta=ending, **({"usage": counted} if counted else {}))
    yield _event("message_stop")


def error_event(wire: str) -> bytes:
    problem = {"type": "overloaded_error", "message": "The simulator fails on request."}
    if wire == "anthropic":
        return _event("error", error=problem)
    return b"data: " + orjson.dumps({"error": {**problem, "code": None}}) + b"\n\n"


def _event(name: str, **fields: Any) -> bytes:
    document = orjson.dumps({"type": name, **fields})
    return b"event: " + name.encode() + b"\ndata: " + document + b"\n\n"


def _parts(text: str) -> list[str]:
    return [text[at : at + ARGUMENT_PIECE] for at in range(0, len(text), ARGUMENT_PIECE)]
