"""One question in all four ways, and what came of it in one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import providers
from providers import ModelResponse, ModelResponseStream

HELLO = [{"role": "user", "content": "Grüße aus Köln"}]
Ask = Callable[..., ModelResponse]


def whole(model: str, messages: Any = HELLO, **options: Any) -> ModelResponse:
    answer: ModelResponse = providers.completion(model, messages, stream=False, **options)
    return answer


def whole_in_a_loop(model: str, messages: Any = HELLO, **options: Any) -> ModelResponse:
    answer: ModelResponse = asyncio.run(
        providers.acompletion(model, messages, stream=False, **options)
    )
    return answer


def streamed(model: str, messages: Any = HELLO, **options: Any) -> ModelResponse:
    stream = providers.completion(model, messages, stream=True, **options)
    for _ in stream:
        pass
    assert stream.response is not None
    return stream.response


def streamed_in_a_loop(model: str, messages: Any = HELLO, **options: Any) -> ModelResponse:
    async def ask() -> ModelResponse:
        stream = await providers.acompletion(model, messages, stream=True, **options)
        async for _ in stream:
            pass
        assert stream.response is not None
        return stream.response

    return asyncio.run(ask())


def pieces(model: str, messages: Any = HELLO, **options: Any) -> list[ModelResponseStream]:
    return list(providers.completion(model, messages, stream=True, **options))


EVERY_WAY = (whole, whole_in_a_loop, streamed, streamed_in_a_loop)
EVERY_WIRE = ("simulator", "simulator-anthropic")
