"""Plain readings of recorded answers that are not chat completions or messages, for `recordings`.

Each reading goes its own way through the bytes, so that it can disagree with ours.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any

from providers.catalog import PROVIDERS
from providers.dialects import cohere, openai_chat
from providers.embeddings import parse_request, write_response
from providers.embeddings.client import EMBEDDING_DIALECTS, build
from providers.errors import ProviderError
from providers.routing import Target
from providers.types import Usage

COHERE_FINISH = {"COMPLETE": "stop", "TOOL_CALL": "tool_calls", "MAX_TOKENS": "length"}
HOST_FINISH = {"eos": "stop"}
NOT_SPOKEN = (
    ("api.cohere.com/v1/", "Cohere's API version 1, which version 2 replaces"),
    ("/v2/rerank", "reranking, which there is no door for"),
    ("/v1/rerank", "reranking, which there is no door for"),
    (":11434/api/", "Ollama's own API; its row speaks the OpenAI-compatible one"),
    ("/v1/completions", "text completions, which there is no door for"),
    ("/v1/complete", "text completions, which there is no door for"),
    ("/images/generations", "images, which there is no door for"),
    ("api.writer.com", "Writer's own API"),
    ("bedrock-runtime", "Bedrock"),
    ("ml.cloud.ibm.com", "watsonx's own API"),
    ("huggingface.cloud", "a text-generation endpoint's own API"),
    ("/v1/assistants", "assistants, which there is no door for"),
    ("/v1/threads", "assistants, which there is no door for"),
)


def not_spoken(url: str) -> str | None:
    """Why a call to a model is not compared; None for a call to anything else."""
    return next((reason for part, reason in NOT_SPOKEN if part in url), None)


def plain_cohere(body: Mapping[str, Any]) -> dict[str, Any]:
    """Content, calls, reason and usage of a whole answer."""
    message = body["message"]
    return {
        "content": "".join(part["text"] for part in message.get("content") or ()),
        "calls": [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        ],
        "finish": COHERE_FINISH[body["finish_reason"]],
        "usage": _billed(body["usage"]),
    }


def _billed(usage: Mapping[str, Any]) -> Usage:
    return Usage(usage["billed_units"]["input_tokens"], usage["billed_units"]["output_tokens"])


def plain_cohere_stream(body: bytes) -> dict[str, Any]:
    """The same of a stream: texts and arguments put together by index."""
    said: dict[str, Any] = {"content": "", "calls": [], "finish": None, "usage": None}
    calls: dict[int, list[str]] = {}
    for line in body.decode().split("\n"):
        if not line.startswith("data: {"):
            continue
        event = json.loads(line[6:])
        match event["type"]:
            case "content-delta":
                said["content"] += event["delta"]["message"]["content"]["text"]
            case "tool-call-start":
                call = event["delta"]["message"]["tool_calls"]
                calls[event["index"]] = [call["id"], call["function"]["name"], ""]
            case "tool-call-delta":
                call = event["delta"]["message"]["tool_calls"]
                calls[event["index"]][2] += call["function"]["arguments"]
            case "message-end":
                said["finish"] = COHERE_FINISH[event["delta"]["finish_reason"]]
                said["usage"] = _billed(event["delta"]["usage"])
    said["calls"] = [(id, name, json.loads(text)) for id, name, text in calls.values()]
    return said


def cohere_request_difference(asked: Mapping[str, Any]) -> str | None:
    """Cohere's own request reads as a caller's of ours, and must go out as it was recorded."""
    try:
        request = openai_chat.parse_request(asked)
    except ProviderError as refused:
        return f"its request is refused: {refused.message}"
    built = json.loads(cohere.build_request(request, model=asked["model"]).body)
    recorded = {"stream": False, **_without_nulls(asked)}
    return None if built == recorded else f"request: expected {recorded!r}, ours {built!r}"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def embedding_dialect(uri: str) -> str | None:
    if uri.endswith("/v2/embed"):
        return "cohere"
    return "openai_chat" if uri.endswith("/embeddings") and "/api/" not in uri else None


def embedding_difference(
    dialect: str, asked: Mapping[str, Any], status: int, body: bytes
) -> str | None:
    """What our reading of an embeddings answer has otherwise than a plain one."""
    reader, document = EMBEDDING_DIALECTS[dialect], json.loads(body)
    if status != 200:
        error = reader.read_error(status, {}, body)
        message = document["error"]["message"]
        same = (error.status, error.message) == (status, message)
        return None if same else f"error {error.status} {error.message!r} is not {message!r}"
    response = reader.read_response(document)
    vectors, tokens = _plain_vectors(dialect, document)
    if response.usage != Usage(tokens):
        return f"usage: expected {tokens}, ours {response.usage!r}"
    packed = [each["embedding"] for each in write_response(response, "base64")["data"]]
    if [_unpacked(each) for each in packed] != [_as_32_bits(each) for each in vectors]:
        return "the vectors differ when they are packed"
    written = [each["embedding"] for each in write_response(response, "float")["data"]]
    if written != vectors:
        return "the vectors differ when they are numbers"
    return None if dialect == "cohere" else _embedding_request_difference(asked, len(vectors))


def _plain_vectors(dialect: str, document: Any) -> tuple[list[list[float]], int]:
    if dialect == "cohere":
        billed = document["meta"]["billed_units"]["input_tokens"]
        return document["embeddings"]["float"], billed
    usage, found = document["usage"], [each["embedding"] for each in document["data"]]
    vectors = [_unpacked(each) if isinstance(each, str) else each for each in found]
    return vectors, usage.get("prompt_tokens", usage["total_tokens"])


def _unpacked(text: str) -> list[float]:
    return [number for (number,) in struct.iter_unpack("<f", base64.b64decode(text))]


def _as_32_bits(vector: list[float]) -> list[float]:
    return [struct.unpack("<f", struct.pack("<f", number))[0] for number in vector]


def _embedding_request_difference(asked: Mapping[str, Any], vectors: int) -> str | None:
    request = parse_request(asked)
    if len(request.inputs) != vectors:
        return f"{len(request.inputs)} inputs were read where {vectors} were answered"
    at = Target(PROVIDERS["openai"], asked["model"], "", "")
    built, recorded = json.loads(build(request, at).body), _without_nulls(asked)
    for body in (built, recorded):
        body["input"] = [body["input"]] if isinstance(body["input"], str) else body["input"]
    return None if built == recorded else f"request: expected {recorded!r}, ours {built!r}"
