"""Recorded traffic of real providers against our dialects: content, tools, finish, usage.

`python -m tests.recordings FOLDER` reads every vcr cassette below FOLDER, compares what our
dialects make of it with a plain reading of the same bytes, and prints how many answers were
compared, skipped (and why) and failed. Streams are fed whole, byte by byte and event by event.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from providers.client import DIALECTS, read_data
from providers.errors import ProviderError
from providers.sse import EVENT_END, SseSplitter
from providers.types import ChatChunk, ChatResponse, Usage
from tests import recorded_hosts
from tests.recorded_responses import written_difference

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}
GEMINI_FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "MALFORMED_FUNCTION_CALL": "stop",
}


class Skipped(Exception):
    """This recording says nothing that can be compared, for the reason given."""


@dataclass(frozen=True)
class Exchange:
    """One recorded call to a model: the request's document, and the answer's status and bytes."""

    where: str
    dialect: str
    request: Mapping[str, Any]
    status: int
    body: bytes
    host: str
    is_stream: bool
    uri: str = ""


@dataclass
class Said:
    """What an answer says, in the terms that are compared."""

    content: str = ""
    calls: list[tuple[Any, str, Any]] = field(default_factory=list)
    finish: str | None = None
    usage: Usage | None = None


@dataclass
class Count:
    compared: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    hosts: Counter[str] = field(default_factory=Counter)


def compare(folder: Path) -> Count:
    """Every recorded chat and embeddings answer below `folder`."""
    count = Count()
    for path in sorted(folder.rglob("*.yaml")):
        document = cassette(path)
        count.skipped += not_spoken(document)
        for exchange in exchanges(path, document):
            kind = f"{exchange.dialect} {'stream' if exchange.is_stream else 'whole'}"
            try:
                kind, reason = _compare(exchange, kind)
            except Skipped as skipped:
                count.skipped[str(skipped)] += 1
                continue
            except Exception as error:  # a reading that breaks is a failure of ours
                reason = f"{type(error).__name__}: {error}"
            count.compared[kind] += 1
            count.hosts[exchange.host] += 1
            if reason is not None:
                count.failed.append(f"{exchange.where}: {reason}")
    return count


def not_spoken(document: Mapping[str, Any]) -> Counter[str]:
    """Calls of one cassette that no dialect of ours speaks, by the reason."""
    requests = [item["request"] for item in document.get("interactions") or ()]
    posted = [each["uri"] for each in requests if each["method"].upper() == "POST"]
    reasons = [recorded_hosts.not_spoken(uri) for uri in posted if _dialect(_bare(uri)) is None]
    return Counter(reason for reason in reasons if reason)


def cassette(path: Path) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.load(path.read_text(), yaml.CSafeLoader)
    return document


def exchanges(path: Path, document: Mapping[str, Any]) -> Iterator[Exchange]:
    """The calls of one cassette that one of our dialects speaks."""
    for at, item in enumerate(document.get("interactions") or ()):
        request, response = item["request"], item["response"]
        uri = _bare(request["uri"])
        dialect = _dialect(uri)
        if dialect is None or request["method"].upper() != "POST":
            continue
        asked = json.loads(_text(request) or b"{}")
        is_stream = asked.get("stream") is True or uri.endswith(":streamGenerateContent")
        status, where, host = response["status"]["code"], f"{path.name}#{at}", uri.split("/")[2]
        yield Exchange(where, dialect, asked, status, _text(response), host, is_stream, uri)


def _bare(uri: str) -> str:
    return uri.partition("?")[0].partition("#")[0]


def _dialect(uri: str) -> str | None:
    if embedding := recorded_hosts.embedding_dialect(uri):
        return f"{embedding} embeddings"
    if uri.endswith("/v2/chat"):
        return "cohere"
    if uri.endswith("/chat/completions"):
        return "openai_chat"
    if uri.endswith((":generateContent", ":streamGenerateContent")):
        return "gemini"
    if uri.endswith("/responses"):
        return "openai_responses"
    return "anthropic_messages" if uri.endswith("/v1/messages") else None


def _text(message: Mapping[str, Any]) -> bytes:
    """A body of any of the recorders' shapes."""
    body: Any = message.get("body")
    if "parsed_body" in message:
        return json.dumps(message["parsed_body"]).encode()
    if isinstance(body, Mapping):
        body = base64.b64decode(body["base64"]) if "base64" in body else body.get("string")
    data = body.encode() if isinstance(body, str) else body or b""
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _compare(exchange: Exchange, kind: str) -> tuple[str, str | None]:
    """(what was compared, why it failed or None)."""
    if not exchange.body:
        raise Skipped("no body was recorded")
    name, _, is_embedding = exchange.dialect.partition(" ")
    if is_embedding:
        asked, status, body = exchange.request, exchange.status, exchange.body
        reason = recorded_hosts.embedding_difference(name, asked, status, body)
        return exchange.dialect, reason
    if name == "cohere":
        reason = recorded_hosts.cohere_request_difference(exchange.request)
        if reason is not None:
            return "cohere request", reason
    dialect = DIALECTS[exchange.dialect]
    if exchange.status != 200:
        error = dialect.read_error(exchange.status, {}, exchange.body)
        return f"{exchange.dialect} error", _compare_error(error, exchange)
    if not exchange.is_stream:
        body = json.loads(exchange.body)
        if exchange.dialect == "openai_responses" and (reason := _compare_written(exchange)):
            return kind, f"written: {reason}"
        if body.get("error"):
            return f"{exchange.dialect} error", _compare_embedded(dialect, body)
        ours = said_by_response(dialect.read_response(body))
        return kind, _difference(READERS[exchange.dialect][0](body), ours)
    if exchange.dialect == "openai_responses" and (reason := _compare_written(exchange)):
        return kind, f"written: {reason}"
    expected = READERS[exchange.dialect][1](exchange.body)
    for way, pieces in _ways(exchange.body).items():
        ours = said_by_chunks(read_chunks(exchange.dialect, pieces))
        reason = _difference(expected, ours)
        if reason is not None:
            return kind, f"fed {way}: {reason}"
    return kind, None


def _ways(body: bytes) -> dict[str, list[bytes]]:
    """How the bytes of a stream may come."""
    events = [each + EVENT_END for each in body.split(EVENT_END)]
    return {
        "whole": [body],
        "byte by byte": [body[at : at + 1] for at in range(len(body))],
        "event by event": [*events[:-1], events[-1].removesuffix(EVENT_END)],
    }


def _compare_written(exchange: Exchange) -> str | None:
    """A Responses call through our own surface: what goes on to the provider, what comes back."""
    if not exchange.is_stream:
        return written_difference(exchange.request, json.loads(exchange.body), None)
    chunks = read_chunks(exchange.dialect, [exchange.body])
    meant = list(_documents(exchange.body))[-1]["response"]
    return written_difference(exchange.request, meant, chunks)


def _compare_error(error: ProviderError, exchange: Exchange) -> str | None:
    try:
        message = json.loads(exchange.body)["error"]["message"]
    except (ValueError, KeyError, TypeError) as unread:
        raise Skipped("an error without a document") from unread
    same = error.status == exchange.status and error.message == message[:500]
    return None if same else f"error {error.status} {error.message!r} is not {message!r}"


def _compare_embedded(dialect: Any, body: Mapping[str, Any]) -> str | None:
    try:
        dialect.read_response(body)
    except ProviderError as error:
        return None if error.message == body["error"]["message"] else f"error {error.message!r}"
    return "an error was read as an answer"


def _difference(expected: Said, ours: Said) -> str | None:
    for name, value in vars(expected).items():
        if getattr(ours, name) != value:
            return f"{name}: expected {value!r}, ours {getattr(ours, name)!r}"
    return None


def said_by_response(response: ChatResponse) -> Said:
    choice = response.choices[0]
    return Said(
        response.content,
        _calls(choice["message"].get("tool_calls") or ()),
        choice.get("finish_reason"),
        response.usage,
    )


def _calls(calls: Sequence[Mapping[str, Any]]) -> list[tuple[str | None, str, Any]]:
    return [
        (
            call.get("id"),
            call["function"]["name"],
            json.loads(call["function"]["arguments"] or "{}"),
        )
        for call in calls
    ]


def read_stream(dialect: str, body: bytes, size: int) -> Said:
    """What our reader makes of a stream that arrives in pieces of `size` bytes."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return said_by_chunks(read_chunks(dialect, pieces))


def read_chunks(dialect: str, pieces: Sequence[bytes]) -> list[ChatChunk]:
    """Every chunk of a stream that arrives in these pieces, to the end of its bytes."""
    splitter, reader, chunks = SseSplitter(), DIALECTS[dialect].StreamReader(), list[ChatChunk]()
    for piece in pieces:
        made, error = read_data(reader, splitter, piece)
        chunks += made
        if error is not None:
            raise error
    chunks += [chunk for event in splitter.close() for chunk in reader.feed(event)]
    return chunks + (reader.close() if hasattr(reader, "close") else [])


def said_by_chunks(chunks: Sequence[ChatChunk]) -> Said:
    """The first choice of a stream, put together as a client would."""
    said, calls = Said(), dict[int, dict[str, Any]]()
    for chunk in chunks:
        said.usage = chunk.usage or said.usage
        for choice in chunk.choices:
            if choice.get("index", 0) != 0:
                continue
            delta = choice.get("delta") or {}
            said.content += delta.get("content") or ""
            said.finish = choice.get("finish_reason") or said.finish
            for call in delta.get("tool_calls") or ():
                known = calls.setdefault(
                    call.get("index") or 0, {"id": None, "function": {"name": "", "arguments": ""}}
                )
                known["id"] = call.get("id") or known["id"]
                function = call.get("function") or {}
                known["function"]["name"] += function.get("name") or ""
                known["function"]["arguments"] += function.get("arguments") or ""
    said.calls = _calls([calls[at] for at in sorted(calls)])
    return said


def _plain_openai(body: Mapping[str, Any]) -> Said:
    message = body["choices"][0].get("message") or {}
    return Said(
        message.get("content") or "",
        _calls(message.get("tool_calls") or ()),
        _host_finish(body["choices"][0].get("finish_reason")),
        _plain_openai_usage(body.get("usage"), body.get("service_tier")),
    )


def _host_finish(native: str | None) -> str | None:
    return recorded_hosts.HOST_FINISH.get(native or "", native)


def _plain_openai_usage(raw: Any, tier: Any = None) -> Usage | None:
    if not raw or raw.get("prompt_tokens") is None:
        return None
    prompt = raw.get("prompt_tokens_details") or {}
    completion = raw.get("completion_tokens_details") or {}
    return Usage(
        raw["prompt_tokens"],
        raw["completion_tokens"] or 0,
        cache_read_tokens=prompt.get("cached_tokens") or 0,
        cache_write_tokens=prompt.get("cache_write_tokens") or 0,
        reasoning_tokens=completion.get("reasoning_tokens") or 0,
        input_audio_tokens=prompt.get("audio_tokens") or 0,
        output_audio_tokens=completion.get("audio_tokens") or 0,
        service_tier=tier or "",
    )


def _documents(body: bytes) -> Iterator[dict[str, Any]]:
    """The JSON documents of a recorded stream; recorders keep whole lines."""
    for line in body.decode().replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and "[DONE]" not in line:
            yield json.loads(line[5:])


def _plain_openai_stream(body: bytes) -> Said:
    said, tier = Said(), None
    calls: dict[int, list[Any]] = {}
    for document in _documents(body):
        tier = document.get("service_tier") or tier
        usage = document.get("usage") or (document.get("x_groq") or {}).get("usage")
        said.usage = _plain_openai_usage(usage, tier) or said.usage
        for choice in document.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            said.content += choice["delta"].get("content") or ""
            said.finish = choice.get("finish_reason") or said.finish
            for call in choice["delta"].get("tool_calls") or ():
                known = calls.setdefault(call.get("index") or 0, [None, "", ""])
                known[0] = call.get("id") or known[0]
                known[1] = call["function"].get("name") or known[1]
                known[2] += call["function"].get("arguments") or ""
    said.calls = [(c[0], c[1], json.loads(c[2] or "{}")) for _, c in sorted(calls.items())]
    return said


def _plain_anthropic(body: Mapping[str, Any]) -> Said:
    blocks = body["content"]
    return Said(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        [(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"],
        FINISH[body["stop_reason"]],
        _plain_anthropic_usage(body["usage"]),
    )


def _plain_anthropic_usage(raw: Mapping[str, Any]) -> Usage:
    read = raw.get("cache_read_input_tokens") or 0
    written = raw.get("cache_creation_input_tokens") or 0
    hour = (raw.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    return Usage(
        raw["input_tokens"] + read + written,
        raw["output_tokens"],
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        web_searches=(raw.get("server_tool_use") or {}).get("web_search_requests") or 0,
        service_tier=raw.get("service_tier") or "",
    )


def _plain_anthropic_stream(body: bytes) -> Said:
    said, usage = Said(), dict[str, Any]()
    calls: dict[int, list[Any]] = {}
    for document in _documents(body):
        match document["type"]:
            case "message_start":
                usage |= document["message"]["usage"]
            case "content_block_start" if document["content_block"]["type"] == "tool_use":
                block = document["content_block"]
                calls[document["index"]] = [block["id"], block["name"], ""]
            case "content_block_delta":
                delta = document["delta"]
                said.content += delta.get("text") or ""
                if document["index"] in calls:
                    calls[document["index"]][2] += delta.get("partial_json") or ""
            case "message_delta":
                usage |= {k: v for k, v in document["usage"].items() if v is not None}
                said.finish = FINISH[document["delta"]["stop_reason"]]
    said.calls = [(c[0], c[1], json.loads(c[2] or "{}")) for _, c in sorted(calls.items())]
    said.usage = _plain_anthropic_usage(usage)
    return said


class MadeId:
    """The id of a call that came without one: any that we make, but none is not enough."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(r"call_[0-9a-f]{24}", other) is not None


def _plain_gemini(body: Mapping[str, Any]) -> Said:
    """The first candidate; a blocked prompt has none."""
    candidate = (body.get("candidates") or [{"finishReason": "SAFETY"}])[0]
    parts = (candidate.get("content") or {}).get("parts") or []
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    finish = GEMINI_FINISH[candidate.get("finishReason") or "STOP"]
    return Said(
        "".join(part.get("text") or "" for part in parts if not part.get("thought")),
        [(call.get("id") or MadeId(), call["name"], call.get("args") or {}) for call in calls],
        "tool_calls" if calls and finish == "stop" else finish,
        _plain_gemini_usage(body.get("usageMetadata")),
    )


def _plain_gemini_usage(raw: Mapping[str, Any] | None) -> Usage | None:
    if not raw:
        return None
    thought = raw.get("thoughtsTokenCount") or 0
    return Usage(
        raw["promptTokenCount"] + (raw.get("toolUsePromptTokenCount") or 0),
        (raw.get("candidatesTokenCount") or 0) + thought,
        cache_read_tokens=raw.get("cachedContentTokenCount") or 0,
        reasoning_tokens=thought,
    )


def _plain_gemini_stream(body: bytes) -> Said:
    """Parts add up, the last finish reason and the last usage win."""
    parts, whole = list[Any](), dict[str, Any]()
    for document in _documents(body):
        for candidate in document.get("candidates") or ():
            if candidate.get("index", 0) == 0:
                parts += (candidate.get("content") or {}).get("parts") or []
                whole |= {"finishReason": candidate.get("finishReason")}
        whole |= {"usageMetadata": document.get("usageMetadata")}
    candidate = {"content": {"parts": parts}, "finishReason": whole.get("finishReason")}
    return _plain_gemini({**whole, "candidates": [candidate]})


def _plain_responses(body: Mapping[str, Any]) -> Said:
    said = Said()
    for item in body["output"]:
        if item["type"] == "message":
            said.content += "".join(part.get("text", "") for part in item["content"])
        if item["type"] == "function_call":
            call = (item["call_id"], item["name"], json.loads(item["arguments"] or "{}"))
            said.calls.append(call)
    details = body.get("incomplete_details") or {}
    reason = str(details.get("reason") or "")
    cut = {"max_output_tokens": "length"}.get(reason, reason)
    said.finish = cut or ("tool_calls" if said.calls else "stop")
    usage = body["usage"]
    said.usage = Usage(
        usage["input_tokens"],
        usage["output_tokens"],
        cache_read_tokens=(usage.get("input_tokens_details") or {}).get("cached_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0,
        service_tier=body.get("service_tier") or "",
    )
    return said


def _plain_responses_stream(body: bytes) -> Said:
    """Deltas say the text; the last event's answer says all the rest."""
    documents = list(_documents(body))
    said = _plain_responses(documents[-1]["response"])
    deltas = [d["delta"] for d in documents if d["type"] == "response.output_text.delta"]
    assert "".join(deltas) == said.content
    return said


READERS: Mapping[str, Any] = {
    "openai_chat": (_plain_openai, _plain_openai_stream),
    "openai_responses": (_plain_responses, _plain_responses_stream),
    "anthropic_messages": (_plain_anthropic, _plain_anthropic_stream),
    "gemini": (_plain_gemini, _plain_gemini_stream),
    "cohere": (
        lambda body: Said(**recorded_hosts.plain_cohere(body)),
        lambda body: Said(**recorded_hosts.plain_cohere_stream(body)),
    ),
}


def main(folder: str) -> int:
    count = compare(Path(folder))
    print(f"compared {count.compared.total()}: {dict(count.compared)}")
    print(f"by host: {dict(count.hosts.most_common())}")
    print(f"skipped {count.skipped.total()}: {dict(count.skipped)}")
    print(f"failed {len(count.failed)}")
    for line in count.failed:
        print(f"  {line}")
    return 1 if count.failed or not count.compared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
