"""`completion` and `acompletion`: the two ways through the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

from .asking import begin, problem, whole
from .callbacks import tell, tell_from_loop
from .drivers import AsyncDriver, SyncDriver
from .results import ModelResponse
from .streams import AsyncStream, SyncStream


@overload
def completion(
    model: str, messages: Sequence[Any] = (), *, stream: Literal[False] = False, **options: Any
) -> ModelResponse: ...


@overload
def completion(
    model: str, messages: Sequence[Any] = (), *, stream: Literal[True], **options: Any
) -> SyncStream: ...


@overload
def completion(
    model: str, messages: Sequence[Any] = (), *, stream: bool, **options: Any
) -> ModelResponse | SyncStream: ...


def completion(
    model: str, messages: Sequence[Any] = (), *, stream: bool = False, **options: Any
) -> ModelResponse | SyncStream:
    """Ask a model. `model` is `provider/model` or a name that says its provider (`gpt-4o`).

    `messages` and `options` are those of OpenAI's chat completions, plus the arguments of
    `arguments.py`. With `stream=True` the first chunk has arrived when this returns. Raises the
    exceptions of `exceptions.py`.
    """
    asking = begin(model, messages, bool(stream), options, from_loop=False)
    driver = SyncDriver(asking.call.client)
    tell(asking.before())
    try:
        if stream:
            begun = driver.run(asking.steps_of_stream())
            return SyncStream(asking, begun, driver)
        answered = driver.run(asking.steps())
    except Exception as error:
        driver.close()
        failure = problem(asking, error)
        tell(asking.failed(failure))
        raise failure from failure.__cause__
    made = whole(asking, answered)
    tell(asking.succeeded(made, answered.ready))
    return made


@overload
async def acompletion(
    model: str, messages: Sequence[Any] = (), *, stream: Literal[False] = False, **options: Any
) -> ModelResponse: ...


@overload
async def acompletion(
    model: str, messages: Sequence[Any] = (), *, stream: Literal[True], **options: Any
) -> AsyncStream: ...


@overload
async def acompletion(
    model: str, messages: Sequence[Any] = (), *, stream: bool, **options: Any
) -> ModelResponse | AsyncStream: ...


async def acompletion(
    model: str, messages: Sequence[Any] = (), *, stream: bool = False, **options: Any
) -> ModelResponse | AsyncStream:
    """`completion` for a loop; with `stream=True` an async iterator."""
    asking = begin(model, messages, bool(stream), options, from_loop=True)
    driver = AsyncDriver(asking.call.client)
    await tell_from_loop(asking.before())
    try:
        if stream:
            begun = await driver.run(asking.steps_of_stream())
            return AsyncStream(asking, begun, driver)
        answered = await driver.run(asking.steps())
    except Exception as error:
        await driver.close()
        failure = problem(asking, error)
        await tell_from_loop(asking.failed(failure))
        raise failure from failure.__cause__
    made = whole(asking, answered)
    await tell_from_loop(asking.succeeded(made, answered.ready))
    return made
