"""The bytes that the simulated provider answers with, made once for each model name. Pure.

Every piece of text begins with one MARK, which JSON never escapes: so the driver counts the pieces
that came through whatever a gateway made of the frames around them.

| wire | whole answer | stream |
|---|---|---|
| OpenAI | one choice of about 1 KB, usage | role, pieces, finish reason, usage if asked, `[DONE]` |
| Anthropic | one text block of about 1 KB, usage | `message_start` ... `message_stop` |

Shapes: https://platform.openai.com/docs/api-reference/chat,
https://docs.anthropic.com/en/docs/build-with-claude/streaming, 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["openai", "anthropic"]

MARK = "~"
CHUNKS = 50
INPUT_TOKENS, OUTPUT_TOKENS = 180, 200
PIECE = f"{MARK}a pool of connections "
ANSWER = MARK + "A pool keeps a few connections open and lends them out. " * 13
LAST_HTTP_CHUNK = b"0\r\n\r\n"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """A streamed answer cut where the provider writes: what opens it, its pieces, what ends it.

    Each event is an HTTP chunk of its own, as real providers send them.
    """

    opening: bytes
    pieces: Sequence[bytes]
    ending: bytes

    @property
    def whole(self) -> bytes:
        return self.opening + b"".join(self.pieces) + self.ending


def error(status: int, message: str) -> bytes:
    """An answer that both wires' clients can read, complete with its head."""
    document = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    return _framed(document, f"{status} Simulated")


def whole(dialect: Dialect, model: str) -> bytes:
    """A complete HTTP answer that is not streamed."""
    return _framed(_openai_answer(model) if dialect == "openai" else _anthropic_answer(model))


def stream(dialect: Dialect, model: str, *, with_usage: bool) -> Stream:
    """A streamed answer of CHUNKS pieces; Anthropic always tells usage."""
    if dialect == "openai":
        return _openai_stream(model, with_usage=with_usage)
    return _anthropic_stream(model)


def _openai_answer(model: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": ANSWER,
        "refusal": None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": 1764000000,
        "model": model,
        "choices": [choice],
        "usage": _openai_usage(),
    }


def _openai_usage() -> dict[str, int]:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }


def _openai_stream(model: str, *, with_usage: bool) -> Stream:
    def event(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
        document: dict[str, Any] = {
            "id": "chatcmpl-simulated",
            "object": "chat.completion.chunk",
            "created": 1764000000,
            "model": model,
            "choices": choices,
        }
        if with_usage:
            document["usage"] = usage
        return _http_chunk(f"data: {_json(document)}\n\n")

    def choice(delta: dict[str, str], reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]

    usage = event([], _openai_usage()) if with_usage else b""
    done = _http_chunk("data: [DONE]\n\n") + LAST_HTTP_CHUNK
    return Stream(
        STREAM_HEAD + event(choice({"role": "assistant", "content": ""})),
        [event(choice({"content": PIECE}))] * CHUNKS,
        event(choice({}, "stop")) + usage + done,
    )


def _anthropic_answer(model: str) -> dict[str, Any]:
    return {
        "id": "msg_simulated",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    }


def _anthropic_stream(model: str) -> Stream:
    def event(name: str, **fields: Any) -> bytes:
        return _http_chunk(f"event: {name}\ndata: {_json({'type': name, **fields})}\n\n")

    message: dict[str, Any] = _anthropic_answer(model) | {
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    piece = event("content_block_delta", index=0, delta={"type": "text_delta", "text": PIECE})
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return Stream(
        STREAM_HEAD
        + event("message_start", message=message)
        + event("content_block_start", index=0, content_block=block)
        + event("ping"),
        [piece] * CHUNKS,
        event("content_block_stop", index=0)
        + event("message_delta", delta=ended, usage={"output_tokens": OUTPUT_TOKENS})
        + event("message_stop")
        + LAST_HTTP_CHUNK,
    )


def _framed(document: dict[str, Any], status: str = "200 OK") -> bytes:
    body = _json(document).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _http_chunk(text: str) -> bytes:
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
