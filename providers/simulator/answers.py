"""What the simulator says: words, tokens, tool calls, and the shapes of both wires. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from .. import tokens
from . import vectors

FIXED = "Hello from the simulator."
LONG_TOKENS = 200
SLOW_WORDS = 20


@dataclass(frozen=True, slots=True)
class Ask:
    """A request on either wire, as far as the simulator cares."""

    wire: str
    model: str
    is_stream: bool
    messages: Sequence[Mapping[str, Any]]
    cap: int | None
    tools: Sequence[Mapping[str, Any]]
    must_call: str | None
    includes_usage: bool
    answers: int
    attempt: str | None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be said: pieces of text or tool calls, and their exact number of tokens."""

    pieces: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    output_tokens: int
    is_cut: bool
    input_tokens: int
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def read_ask(wire: str, body: Mapping[str, Any], attempt: str | None) -> Ask:
    """Raises ValueError, TypeError, AttributeError for what is no request."""
    if wire == "embeddings":
        vectors.check(body)
        return replace(_read_chat(wire, {"model": body.get("model")}, attempt), body=body)
    return _read_chat(wire, body, attempt)


def _read_chat(wire: str, body: Mapping[str, Any], attempt: str | None) -> Ask:
    cap = body.get("max_completion_tokens") or body.get("max_tokens")
    choice = body.get("tool_choice")
    stream_options = body.get("stream_options") or {}
    return Ask(
        wire=wire,
        model=str(body.get("model") or ""),
        is_stream=body.get("stream") is True,
        messages=body.get("messages") or [],
        cap=cap if isinstance(cap, int) else None,
        tools=[_tool(tool) for tool in body.get("tools") or ()],
        must_call=_must_call(choice),
        includes_usage=stream_options.get("include_usage") is True,
        answers=int(body.get("n") or 1),
        attempt=attempt,
    )


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function = tool.get("function")
    if isinstance(function, Mapping):
        return {"name": function.get("name"), "schema": function.get("parameters") or {}}
    return {"name": tool.get("name"), "schema": tool.get("input_schema") or {}}


def _must_call(choice: Any) -> str | None:
    """ "" for any tool, a name for that one, None for as it likes."""
    if choice in ("required", "any"):
        return ""
    if isinstance(choice, Mapping):
        if choice.get("type") == "any":
            return ""
        function = choice.get("function")
        name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
        return str(name) if name else None
    return None


def plan(ask: Ask) -> Plan:
    """Words and tokens of the answer; the cap is kept to the token. Vectors have neither."""
    if ask.wire == "embeddings":
        return Plan((), (), 0, False, vectors.input_tokens(ask.body))
    counted = tokens.count_messages(ask.messages, [dict(tool) for tool in ask.tools], "sim-echo")
    calls = _calls(ask)
    if calls:
        text = "".join(f"{name}{arguments}" for name, arguments in calls)
        return Plan((), calls, tokens.count_text(text), False, counted.tokens)
    encoding = tokens.encoding("o200k_base")
    ids = encoding.encode_ordinary(_text(ask))
    wanted = len(ids)
    if ask.model == "sim-long":
        wanted = ask.cap or LONG_TOKENS
        ids = (ids * (wanted // max(1, len(ids)) + 1))[:wanted]
    is_cut = ask.cap is not None and ask.cap < wanted
    ids = ids[: ask.cap] if is_cut else ids
    pieces = tuple(encoding.decode([each]) for each in ids)
    return Plan(pieces, (), len(ids) * ask.answers, is_cut, counted.tokens)


def _text(ask: Ask) -> str:
    if ask.model == "sim-fixed":
        return FIXED
    if ask.model == "sim-slow":
        return " word" * SLOW_WORDS
    if ask.model == "sim-long":
        return " word"
    return last_user_text(ask.messages) or FIXED


def last_user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    for message in reversed(messages):
        if message.get("role") != "user":
            continue
        content = message.get("content")
        if isinstance(content, str):
            return content
        parts = [part.get("text") or "" for part in content or () if isinstance(part, Mapping)]
        if any(parts):
            return "".join(parts)
    return ""


def _calls(ask: Ask) -> tuple[tuple[str, str], ...]:
    if not ask.tools or (ask.messages and ask.messages[-1].get("role") == "tool"):
        return ()
    said = last_user_text(ask.messages).lower()
    if ask.must_call:
        chosen = [tool for tool in ask.tools if tool["name"] == ask.must_call]
    elif "call the tools" in said:
        chosen = list(ask.tools[:2])
    elif ask.must_call == "" or "call the tool" in said:
        chosen = list(ask.tools[:1])
    else:
        return ()
    return tuple((str(tool["name"]), _arguments(tool["schema"])) for tool in chosen)


def _arguments(schema: Mapping[str, Any]) -> str:
    samples: dict[Any, Any] = {
        "integer": 1,
        "number": 1.5,
        "boolean": True,
        "array": [],
        "object": {},
    }
    properties = schema.get("properties") or {}
    values = {
        name: (kind.get("enum") or [samples.get(kind.get("type"), "Paris")])[0]
        for name, kind in properties.items()
        if isinstance(kind, Mapping)
    }
    return orjson.dumps(values).decode()


def finish(wire: str, answer: Plan) -> str:
    if wire == "openai":
        return "tool_calls" if answer.calls else "length" if answer.is_cut else "stop"
    return "tool_use" if answer.calls else "max_tokens" if answer.is_cut else "end_turn"


def usage(wire: str, ask: Ask, answer: Plan) -> dict[str, Any] | None:
    if ask.model == "sim-nousage":
        return None
    given: Any = answer.input_tokens
    said: Any = answer.output_tokens
    if ask.model == "sim-badusage":
        given, said = -1, "many"
    if wire == "anthropic":
        return {"input_tokens": given, "output_tokens": said}
    total = given + said if isinstance(said, int) else -1
    return {"prompt_tokens": given, "completion_tokens": said, "total_tokens": total}


def error(wire: str, status: int, message: str) -> bytes:
    kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "overloaded_error" if status == 529 else "api_error")
    if wire == "anthropic":
        return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": None}})
