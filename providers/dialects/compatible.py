"""What hosts that speak OpenAI's chat completions say differently, put into OpenAI's own words.

| what comes | from whom | what becomes of it |
|---|---|---|
| `finish_reason` eos, model_length, abort... | Together, Mistral, vLLM | one of OpenAI's five |
| content as a list of parts, some of them thinking | Mistral | text, and `reasoning_content` |
| `reasoning` | OpenRouter, Groq, Together, Ollama | `reasoning_content` |
| tool calls without id, index or type, arguments as an object | Ollama, small servers | all four |
| two tool calls under one index | small servers | each under its own |
| the whole `message` beside each `delta` | Perplexity | left out |
| a choice without index, a delta that is null | small servers | the place, and an empty delta |

An answer that is in OpenAI's words comes back as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from .encoding import arguments_text

Json = Mapping[str, Any]

FINISHED = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
FINISH = {
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "refusal": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "recitation": "content_filter",
    # The answer was broken off: of OpenAI's words, this one says that it is not whole.
    "error": "length",
    "abort": "length",
    "timeout": "length",
    "network_error": "length",
    "insufficient_system_resource": "length",
}
PLAIN = frozenset({"role", "content", "refusal", "reasoning_content"})


def finish_reason(native: Any) -> str | None:
    """One of OpenAI's five reasons, `stop` for a word that nobody knows, None for none."""
    if not isinstance(native, str) or not native:
        return None
    return native if native in FINISHED else FINISH.get(native.lower(), "stop")


def whole_choices(choices: Sequence[Json], answer_id: str) -> list[Json]:
    """The choices of a whole answer, each with a message."""
    return [_whole(choice, at, answer_id) for at, choice in enumerate(choices)]


def _whole(choice: Json, at: int, answer_id: str) -> Json:
    if _is_plain_whole(choice):
        return choice
    index = choice.get("index")
    index = at if index is None else index
    message = _plain(choice["message"])
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        reader = CallReader(f"{answer_id}/{index}")
        message["tool_calls"] = [_ended(each) for each in reader.read(_apart(calls))]
    message.setdefault("role", "assistant")
    native = choice.get("finish_reason")
    return {**choice, "index": index, "message": message, "finish_reason": finish_reason(native)}


def _is_plain_whole(choice: Json) -> bool:
    """Whether a whole choice is in OpenAI's words already, and only says some text."""
    message = choice["message"]
    return (
        "role" in message
        and "tool_calls" not in message
        and "reasoning" not in message
        and not isinstance(message.get("content"), list)
        and choice.get("index") is not None
        and type(choice.get("finish_reason")) is str
        and choice["finish_reason"] in FINISHED
    )


def _apart(calls: Sequence[Any]) -> list[Any]:
    """The calls of a whole answer are different ones, whatever index they come with."""
    return [
        {**call, "index": at} if isinstance(call, Mapping) else call
        for at, call in enumerate(calls)
    ]


def _ended(call: Any) -> Any:
    """A whole call: no index, and arguments that are JSON even where there are none."""
    if not isinstance(call, Mapping):
        return call
    said = {name: value for name, value in call.items() if name != "index"}
    function = said.get("function")
    if isinstance(function, Mapping) and not function["arguments"]:
        said["function"] = {**function, "arguments": "{}"}
    return said


class ChoiceReader:
    """The choices of a stream's events, in order."""

    def __init__(self) -> None:
        self._calls: dict[Any, CallReader] = {}

    def read(self, choices: Sequence[Any], answer_id: str) -> list[Json]:
        return [
            choice if _is_plain(choice) else self._choice(choice, at, answer_id)
            for at, choice in enumerate(choices)
            if type(choice) is dict
        ]

    def _choice(self, choice: Json, at: int, answer_id: str) -> Json:
        delta, native, index = (choice.get(each) for each in ("delta", "finish_reason", "index"))
        index = at if index is None else index
        said = _plain(delta) if isinstance(delta, Mapping) else {}
        calls = said.get("tool_calls")
        if isinstance(calls, list) and calls:
            if index not in self._calls:
                self._calls[index] = CallReader(f"{answer_id}/{index}")
            said["tool_calls"] = self._calls[index].read(calls)
        rest = {name: value for name, value in choice.items() if name != "message"}
        return {**rest, "index": index, "delta": said, "finish_reason": finish_reason(native)}


def _is_plain(choice: dict[str, Any]) -> bool:
    """Whether a choice is in OpenAI's words, as nearly every event of nearly every host is."""
    delta = choice.get("delta")
    if type(delta) is not dict or not delta.keys() <= PLAIN or "message" in choice:
        return False
    native, content = choice.get("finish_reason"), delta.get("content")
    is_text = content is None or type(content) is str
    is_known = native is None or (type(native) is str and native in FINISHED)
    return is_text and is_known and choice.get("index") is not None


def is_one_plain(choices: Any) -> bool:
    """Is it one choice that only says some text, as nearly every event of a stream does?"""
    if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
        return False
    choice = choices[0]
    delta = choice.get("delta")
    return (
        type(delta) is dict
        and len(delta) == 1
        and type(delta.get("content")) is str
        and choice.get("finish_reason") is None
        and choice.get("index") is not None
        and "message" not in choice
        and "usage" not in choice
    )


def _plain(message: Json) -> dict[str, Any]:
    """A message or delta whose content is text, and whose reasoning is `reasoning_content`."""
    said = dict(message)
    thinking = said.pop("reasoning", None)
    if isinstance(said.get("content"), list):
        said["content"], thoughts = _split(said["content"])
        thinking = thoughts or thinking
    if isinstance(thinking, str) and thinking and not said.get("reasoning_content"):
        said["reasoning_content"] = thinking
    return said


def _split(parts: Sequence[Any]) -> tuple[str | None, str]:
    """(text or None, thinking) of content in parts; what is neither has no place in OpenAI's."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping) and part.get("type") == "thinking":
            inner = part.get("thinking")
            thoughts.append(inner if isinstance(inner, str) else _split(inner or ())[0] or "")
        elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return ("".join(texts) if texts else None), "".join(thoughts)


class CallReader:
    """The tool calls of one choice: each with an index, an id and a type of its own.

    A call is new where its index is, where it has a name and another id than the call of that
    index, or where it has a name and no index at all. Whatever else comes continues a call.
    """

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._at: dict[Any, int] = {}
        self._ids: list[str | None] = []
        self._names: list[Any] = []

    def read(self, calls: Sequence[Any]) -> list[Any]:
        return [self._call(call) if isinstance(call, Mapping) else call for call in calls]

    def _call(self, call: Json) -> Json:
        function = call.get("function")
        if not isinstance(function, Mapping):
            return call
        known = self._known(call.get("index"), call.get("id"), function.get("name"))
        arguments = _text(function.get("arguments"))
        if known is None:
            return self._opened(call, function, arguments)
        said = {**function, "arguments": arguments}
        if said.get("name") in {None, "", self._names[known]}:
            said.pop("name", None)
        rest = {name: value for name, value in call.items() if name not in {"id", "type"}}
        return {**rest, "index": known, "function": said}

    def _known(self, index: Any, id: Any, name: Any) -> int | None:
        """The number of the call that this continues; None for a new one."""
        if index is not None:
            number = self._at.get(index)
            is_other = number is not None and id and name and id != self._ids[number]
            return None if is_other else number
        if id and id in self._ids:
            return self._ids.index(id)
        return len(self._ids) - 1 if self._ids and not name else None

    def _opened(self, call: Json, function: Json, arguments: str) -> Json:
        number, id = len(self._ids), call.get("id")
        self._ids.append(id if isinstance(id, str) else None)
        self._names.append(function.get("name"))
        index = call.get("index")
        self._at[number if index is None else index] = number
        return {
            **call,
            "index": number,
            "id": id or self._made_id(number),
            "type": call.get("type") or "function",
            "function": {**function, "arguments": arguments},
        }

    def _made_id(self, number: int) -> str:
        """An id that is the same however often this answer is read, and no other answer's."""
        digest = hashlib.blake2s(f"{self._salt}/{number}".encode(), digest_size=12)
        return f"call_{digest.hexdigest()}"


def _text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else arguments_text(arguments)


def usage_in(body: Json, choices: Any) -> Any:
    """A document's usage: in its place, in Groq's `x_groq`, or in Moonshot's last choice."""
    usage = body.get("usage")
    if usage is not None:
        return usage
    groq = body.get("x_groq")
    if type(groq) is dict:
        return groq.get("usage")
    last = choices[-1] if choices and type(choices) is list else None
    return last.get("usage") if type(last) is dict else None


def cached_in(usage: Json, details: Json) -> Any:
    """Tokens read from a cache: in the details, or where DeepSeek and Moonshot have them."""
    for count in (details.get("cached_tokens"), usage.get("prompt_cache_hit_tokens")):
        if count is not None:
            return count
    return usage.get("cached_tokens")


def with_reasoning(usage: Json, given: int, answered: int, reasoning: int) -> int:
    """All output: xAI counts reasoning beside the completion, and only its total shows it.

    https://docs.x.ai/docs/key-information/consumption-and-rate-limits, 2026-11.
    """
    is_beside = usage.get("total_tokens") == given + answered + reasoning
    return answered + reasoning if reasoning and is_beside else answered
