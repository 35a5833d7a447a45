"""What a call gives back: OpenAI's shapes by LiteLLM's names, light and without pydantic."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .. import pricing
from ..types import ChatChunk, ChatResponse
from ..types import Usage as Tokens
from .record import Record, record

NANOS_PER_DOLLAR = 10**9


class Function(Record):
    """`arguments` is JSON text, in pieces while it streams."""

    name: str | None = None
    arguments: str = ""


class ChatCompletionMessageToolCall(Record):
    id: str | None = None
    type: str = "function"
    function: Function


class ChatCompletionDeltaToolCall(ChatCompletionMessageToolCall):
    index: int = 0


class Message(Record):
    """May be put into the next call's `messages` as it is."""

    role: str = "assistant"
    content: str | None = None
    tool_calls: list[ChatCompletionMessageToolCall] | None = None
    function_call: Function | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[dict[str, Any]] | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: Any = None
    provider_specific_fields: dict[str, Any] | None = None


class Delta(Record):
    role: str | None = None
    content: str | None = None
    tool_calls: list[ChatCompletionDeltaToolCall] | None = None
    function_call: Function | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[dict[str, Any]] | None = None
    refusal: str | None = None
    provider_specific_fields: dict[str, Any] | None = None


class Choices(Record):
    """`finish_reason` in OpenAI's words, `native_finish_reason` in the provider's own."""

    index: int = 0
    finish_reason: str | None = None
    message: Message
    logprobs: Any = None
    native_finish_reason: str | None = None


class StreamingChoices(Record):
    index: int = 0
    finish_reason: str | None = None
    delta: Delta
    logprobs: Any = None


class TokenDetails(Record):
    """Parts of a count; each is also in the whole."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class Usage(Record):
    """`prompt_tokens` is all input, cached or not; `completion_tokens` includes reasoning."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: TokenDetails
    completion_tokens_details: TokenDetails
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0


class Hidden(dict[str, Any]):
    """`_hidden_params`: what is known beside the answer.

    `response_cost` is dollars as a float, or None where the price is unknown. It is computed when
    it is first asked for: the price list takes a second to load, and most scripts never ask.
    """

    def __init__(self, nanos: Callable[[], int], **known: Any) -> None:
        super().__init__(known)
        self.nanos = nanos

    def __missing__(self, name: str) -> Any:
        if name != "response_cost":
            raise KeyError(name)
        try:
            cost = self.nanos() / NANOS_PER_DOLLAR
        except pricing.PriceUnknown:
            cost = None
        self[name] = cost
        return cost

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self or name == "response_cost" else default


class Answer(Record):
    """What every kind of answer carries beside its data."""

    _hidden_params: Hidden
    response_ms: float
    """Milliseconds from the call to the whole answer; not a part of the data."""

    @property
    def cost_nanos(self) -> int:
        """Exact nano-dollars; raises PriceUnknown instead of saying zero."""
        return self._hidden_params.nanos()

    def _data(self) -> dict[str, Any]:
        data = super()._data()
        data.pop("response_ms", None)
        return data


class ModelResponse(Answer):
    id: str
    object: str
    created: int
    model: str
    choices: list[Choices]
    usage: Usage
    system_fingerprint: str | None = None
    service_tier: str | None = None


class ModelResponseStream(Answer):
    """One chunk. `choices` is never empty: `choices[0].delta.content or ""` always reads."""

    id: str
    object: str
    created: int
    model: str
    choices: list[StreamingChoices]
    usage: Usage | None = None
    system_fingerprint: str | None = None


def new_id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"


def usage_of(tokens: Tokens) -> Usage:
    return Usage(
        prompt_tokens=tokens.input_tokens,
        completion_tokens=tokens.output_tokens,
        total_tokens=tokens.total_tokens,
        prompt_tokens_details=TokenDetails(
            cached_tokens=tokens.cache_read_tokens, cache_write_tokens=tokens.cache_write_tokens
        ),
        completion_tokens_details=TokenDetails(reasoning_tokens=tokens.reasoning_tokens),
        cache_read_input_tokens=tokens.cache_read_tokens,
        cache_creation_input_tokens=tokens.cache_write_tokens,
    )


def whole(response: ChatResponse, tokens: Tokens) -> ModelResponse:
    """The answer without what is known beside it."""
    native = [*response.native_finish_reasons, *[None] * len(response.choices)]
    known = {
        "id": response.id or new_id(),
        "object": "chat.completion",
        "created": response.created,
        "model": response.model,
        "choices": [_choice(*pair) for pair in zip(response.choices, native, strict=False)],
        "usage": usage_of(tokens),
    }
    return ModelResponse(**{**response.extra, **known})


def piece(chunk: ChatChunk) -> ModelResponseStream:
    choices = [_streaming(choice) for choice in chunk.choices]
    known = {
        "id": chunk.id,
        "object": "chat.completion.chunk",
        "created": chunk.created,
        "model": chunk.model,
        "choices": choices or [StreamingChoices(index=0, delta=Delta(), finish_reason=None)],
    }
    return ModelResponseStream(**{**chunk.extra, **known})


def _choice(choice: Mapping[str, Any], native: str | None) -> Choices:
    fields = dict(choice)
    fields["message"] = message(choice["message"])
    if choice.get("logprobs") is not None:
        fields["logprobs"] = record(choice["logprobs"])
    return Choices(**{"finish_reason": None, "native_finish_reason": native, **fields})


def message(fields: Mapping[str, Any]) -> Message:
    made = Message(**{"role": "assistant", "content": None, **fields})
    if fields.get("tool_calls"):
        made.tool_calls = [_call(each) for each in fields["tool_calls"]]
    if fields.get("function_call"):
        made.function_call = Function(**fields["function_call"])
    return made


def _call(call: Mapping[str, Any]) -> ChatCompletionMessageToolCall:
    function = Function(**call.get("function") or {})
    return ChatCompletionMessageToolCall(**{**call, "function": function})


def _streaming(choice: Mapping[str, Any]) -> StreamingChoices:
    fields = dict(choice)
    delta = Delta(**choice.get("delta") or {})
    calls = delta.__dict__.get("tool_calls")
    if calls:
        delta.tool_calls = [
            ChatCompletionDeltaToolCall(
                **{**call, "function": Function(**call.get("function") or {})}
            )
            for call in calls
        ]
    fields["delta"] = delta
    return StreamingChoices(**{"index": 0, "finish_reason": None, **fields})
