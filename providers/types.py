"""The canonical shapes that every provider is translated to and from.

The canonical request and answer are OpenAI's chat completions, because that is what most callers
speak: messages, tools and options keep OpenAI's JSON shapes, and a dialect translates from there.
Usage alone has its own shape, with OpenTelemetry GenAI's names, because providers count differently
and money is computed from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from .shapes import shape

Json = Mapping[str, Any]
"""Foreign JSON, checked where it enters and then left as it is."""


@shape
class Native:
    """What only `dialect` has words for, for the other end if it speaks the same.

    In a request: what has no canonical name. In an answer or a chunk of one: the provider's own
    document. Whoever changes what an answer says takes its `native` away. `event` is a stream's
    event as it came, where it can be passed on as it is.
    """

    dialect: str
    said: Any
    event: bytes | None = field(default=None, compare=False, repr=False)


def native_to(dialect: str, native: Native | None) -> Json:
    """The document that was said in this dialect; empty where another was spoken."""
    return native.said if native is not None and native.dialect == dialect else {}


@shape
class ChatRequest:
    """One chat call in OpenAI's shape.

    `messages` are OpenAI message objects. `max_tokens` is the caller's cap on output tokens or,
    when `max_tokens_given` is false, absent (the gateway injects one before dispatch).
    `options` holds every other top-level field by OpenAI's name (temperature, tools, ...).
    `native` is what the caller's own dialect says beyond chat's words: only that dialect reads it.
    """

    model: str
    messages: Sequence[Json]
    max_tokens: int | None = None
    stream: bool = False
    include_usage: bool = False
    provider: str | None = None
    options: Json = field(default_factory=dict)
    native: Native | None = None


@shape
class Usage:
    """Tokens of one attempt.

    `input_tokens` is all input: it includes `cache_read_tokens` and `cache_write_tokens`, and
    `cache_write_tokens` includes `cache_write_1h_tokens`. `output_tokens` is all output and
    includes `reasoning_tokens`. Each dialect converts from its provider's own way of counting.

    Audio and image tokens are parts of input and output too, `cache_audio_read_tokens` of both
    `cache_read_tokens` and `input_audio_tokens`; what was written to a cache is text.
    `service_tier` is the way the call was answered, by the provider's own word (default, flex,
    priority, batch, fast), empty where it says nothing. `web_searches` are charged by number.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    cache_audio_read_tokens: int = 0
    input_image_tokens: int = 0
    output_image_tokens: int = 0
    cache_image_read_tokens: int = 0
    web_searches: int = 0
    service_tier: str = ""

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@shape
class ChatResponse:
    """A whole answer: `choices` in OpenAI's shape (index, message, finish_reason), usage or None.

    `native_finish_reasons` keeps the provider's own words, one per choice. `native` is the answer
    as a dialect with more words than chat's read it, for a caller of the same dialect; whoever
    changes `choices` clears it.
    """

    id: str
    model: str
    created: int
    choices: Sequence[Json]
    usage: Usage | None
    native_finish_reasons: Sequence[str | None] = ()
    extra: Json = field(default_factory=dict)
    native: Native | None = None

    @property
    def content(self) -> str:
        """Text of the first choice; empty where it only calls tools."""
        if not self.choices:
            return ""
        content = self.choices[0]["message"].get("content")
        return content if isinstance(content, str) else ""


@shape
class ChatChunk:
    """One piece of a streamed answer: `choices` in OpenAI's shape (index, delta, finish_reason).

    `usage`, where present, is the whole usage so far (cumulative; the last one wins).
    `is_last` marks the provider's own end of the stream: a stream that ends without one was cut.
    `text` is the chunk's JSON where a provider sent it in OpenAI's own shape, on one line.
    `native` is the provider's own event, as in ChatResponse.
    """

    id: str
    model: str
    created: int
    choices: Sequence[Json] = ()
    usage: Usage | None = None
    is_last: bool = False
    extra: Json = field(default_factory=dict)
    text: bytes | None = field(default=None, compare=False, repr=False)
    native: Native | None = None


@shape
class HttpRequest:
    """What a dialect asks the transport to send: `path` is relative to the provider's base URL."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    dropped: Sequence[str] = ()
