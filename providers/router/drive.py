"""The two drivers: they send, sleep and tell; what to do is decided by the call.

`send` makes one attempt: it returns the answer with its outcome (Success, or Began for a stream,
whose end the caller then tells by `call.next`), or raises a ProviderError. Sends must be bounded by
`step.timeout_seconds`; waits are bounded by the call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import ProviderError
from .call import Call
from .steps import Began, Failure, GiveUp, Success, Try, Wait

Answer = TypeVar("Answer")


def drive(
    call: Call,
    send: Callable[[Try], tuple[Answer, Success | Began]],
    sleep: Callable[[float], object] = time.sleep,
) -> Answer:
    """The answer of the first deployment that gives one; raises the error it gave up with."""
    try:
        step = call.next()
        while not isinstance(step, GiveUp):
            if isinstance(step, Try):
                try:
                    answer, outcome = send(step)
                except ProviderError as error:
                    step = call.next(Failure(error))
                    continue
                call.next(outcome)
                return answer
            if isinstance(step, Wait):
                sleep(step.seconds)
            step = call.next()
    except BaseException:
        call.abandon()
        raise
    raise step.error


async def drive_async(
    call: Call,
    send: Callable[[Try], Awaitable[tuple[Answer, Success | Began]]],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Answer:
    """As `drive`; a cancelled task gives back what its attempt had taken."""
    try:
        step = call.next()
        while not isinstance(step, GiveUp):
            if isinstance(step, Try):
                try:
                    answer, outcome = await send(step)
                except ProviderError as error:
                    step = call.next(Failure(error))
                    continue
                call.next(outcome)
                return answer
            if isinstance(step, Wait):
                await sleep(step.seconds)
            step = call.next()
    except BaseException:
        call.abandon()
        raise
    raise step.error
