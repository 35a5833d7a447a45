"""`mock_response`: an answer, a stream or an error without a provider. Pure.

| given | gives |
|---|---|
| a text | an answer with it, its tokens counted |
| `"litellm.RateLimitError"` | that exception; any name of `exceptions.py` |
| an exception | that exception |
| a `ModelResponse` or a dict of one | an answer with its choices |
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import exceptions
from ..errors import BadRequest
from ..routing import Target
from ..types import ChatChunk, ChatResponse, HttpRequest
from .addresses import find_provider
from .arguments import Call
from .exchange import Answered, Begun, Outgoing, Reading, Ready, Steps
from .gathering import count_usage
from .record import plain
from .results import new_id

PIECE_LETTERS = 12


def whole(call: Call) -> Steps[Answered]:
    yield from ()
    return Answered(_response(call), _ready(call), {})


def opening(call: Call) -> Steps[Begun]:
    yield from ()
    response, ready = _response(call), _ready(call)
    reading = Reading(ready.target.provider.dialect)
    reading.has_ended = True
    return Begun(list(_chunks(response)), reading, ready, {})


def _ready(call: Call) -> Ready:
    row, model = find_provider(call.request.model, call.provider)
    target = Target(row, model, "", "")
    built, outgoing = HttpRequest("", {}, b""), Outgoing("", {}, b"", 0, 0)
    return Ready(target, built, outgoing, call.dropped, call.rates)


def _response(call: Call) -> ChatResponse:
    choices = [_whole_choice(at, each) for at, each in enumerate(_choices(call))]
    _, model = find_provider(call.request.model, call.provider)
    tools = call.request.options.get("tools") or ()
    return ChatResponse(
        id=new_id(),
        model=model,
        created=int(time.time()),
        choices=choices,
        usage=count_usage(call.request.messages, tools, choices, model),
        native_finish_reasons=[choice["finish_reason"] for choice in choices],
    )


def _whole_choice(index: int, choice: Mapping[str, Any]) -> dict[str, Any]:
    message = choice.get("message") or {}
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    return {"index": index, "finish_reason": choice.get("finish_reason") or finish, **choice}


def _choices(call: Call) -> Sequence[Mapping[str, Any]]:
    mock = call.mock
    if isinstance(mock, str):
        _raise_named(mock, call)
    if isinstance(mock, Exception):
        raise _of_ours(mock, call)
    message: dict[str, Any] = {"role": "assistant", "content": mock}
    if call.mock_tool_calls is not None:
        message["tool_calls"] = plain(list(call.mock_tool_calls))
    if mock is None or isinstance(mock, str):
        return [{"message": message} for _ in range(call.request.options.get("n") or 1)]
    document = plain(mock)
    if not isinstance(document, Mapping) or not isinstance(document.get("choices"), list):
        raise BadRequest(
            "mock_response must be a text, an answer or an exception.", param="mock_response"
        )
    choices: list[Mapping[str, Any]] = document["choices"]
    return choices


def _raise_named(text: str, call: Call) -> None:
    name = text.removeprefix("litellm.")
    if name == text or name not in exceptions.__all__:
        return
    kind = getattr(exceptions, name)
    if issubclass(kind, exceptions.Failure):
        raise kind(f"mock_response={text!r}", **_whose(call))


def _of_ours(error: Exception, call: Call) -> Exception:
    """An exception of ours or of openai's as it is; any other one as a MockException."""
    if isinstance(error, exceptions.OpenAIError | exceptions.BudgetExceededError):
        return error
    return exceptions.MockException(str(error), **_whose(call))


def _whose(call: Call) -> dict[str, Any]:
    row, model = find_provider(call.request.model, call.provider)
    return {"model": model, "llm_provider": row.name}


def _chunks(response: ChatResponse) -> Iterator[ChatChunk]:
    def chunk(choice: Mapping[str, Any], delta: Mapping[str, Any], finish: Any = None) -> ChatChunk:
        said = {"index": choice["index"], "delta": delta, "finish_reason": finish}
        return ChatChunk(response.id, response.model, response.created, [said])

    for choice in response.choices:
        message = choice["message"]
        yield chunk(choice, {"role": "assistant", "content": ""})
        text = message.get("content") or ""
        for start in range(0, len(text), PIECE_LETTERS):
            yield chunk(choice, {"content": text[start : start + PIECE_LETTERS]})
        calls = [{**call, "index": at} for at, call in enumerate(message.get("tool_calls") or ())]
        if calls:
            yield chunk(choice, {"tool_calls": calls})
        yield chunk(choice, {}, choice["finish_reason"])
    yield ChatChunk(
        response.id, response.model, response.created, usage=response.usage, is_last=True
    )
