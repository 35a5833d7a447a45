"""What a gateway owns goes on when whoever waits for it leaves."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from gateway_project.gateway import Gateway


class Panic(BaseException):
    """What a tokenizer raises: no `Exception`."""


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    yield made
    await made.transport.close()


async def test_what_it_answers_is_given(gateway: Gateway) -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await gateway.answered(work()) == 7


@pytest.mark.parametrize("error", [LookupError("missing"), Panic("bad")], ids=["error", "panic"])
async def test_what_it_raises_is_raised(gateway: Gateway, error: BaseException) -> None:
    async def work() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        await gateway.answered(work())
    assert raised.value is error


@pytest.mark.parametrize("error", [None, LookupError("missing")], ids=["well", "badly"])
async def test_it_goes_on_for_nobody_and_its_end_troubles_nobody(
    gateway: Gateway, error: Exception | None
) -> None:
    ended, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()
        if error is not None:
            raise error

    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    waiting = asyncio.create_task(_await(gateway.answered(work())))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await ended.wait()
    await asyncio.sleep(0)
    gc.collect()
    assert faults == []


@pytest.mark.parametrize("turns", [0, 1], ids=["before it began", "under way"])
async def test_who_waits_for_work_that_is_cut_is_cut_too(gateway: Gateway, turns: int) -> None:
    answer = gateway.answered(asyncio.sleep(3600))
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer


async def _await(answer: asyncio.Future[None]) -> None:
    await answer
