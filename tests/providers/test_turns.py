"""Many writes of one turn of a loop leave together, each socket's in order, and none is lost."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from providers.turns import HELD_BYTES_MAX, turn_of


class Socket:
    """A transport that tells a common list what it was given, write by write."""

    def __init__(self, name: str, said: list[tuple[str, bytes]]) -> None:
        self._name, self._said = name, said
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self._said.append((self._name, data))

    def is_closing(self) -> bool:
        return self.is_closed


Said = list[tuple[str, bytes]]


@pytest.fixture
def said() -> Said:
    return []


async def test_who_speaks_alone_is_not_kept_waiting(said: Said) -> None:
    turn = turn_of(asyncio.get_running_loop())
    for word in (b"one", b"two"):
        turn.write(Socket("a", said), word)
        assert said[-1] == ("a", word)
        await asyncio.sleep(0)
    assert len(said) == 2


async def test_the_others_of_a_turn_leave_together_as_it_ends(said: Said) -> None:
    turn = turn_of(asyncio.get_running_loop())
    for name in "abc":
        turn.write(Socket(name, said), b"word")
    assert said == [("a", b"word")]
    await asyncio.sleep(0)
    assert said == [("a", b"word"), ("b", b"word"), ("c", b"word")]


async def test_what_one_socket_is_to_say_keeps_its_order_and_is_one_write(said: Said) -> None:
    turn = turn_of(asyncio.get_running_loop())
    a, b = Socket("a", said), Socket("b", said)
    for socket, word in ((a, b"1"), (b, b"2"), (a, b"3"), (b, b"4"), (a, b"5")):
        turn.write(socket, word)
    await asyncio.sleep(0)
    assert said == [("a", b"1"), ("b", b"24"), ("a", b"35")]


async def test_no_more_is_held_than_a_bound_and_then_in_order(said: Said) -> None:
    turn = turn_of(asyncio.get_running_loop())
    turn.write(Socket("a", said), b"first")
    b = Socket("b", said)
    most = b"x" * HELD_BYTES_MAX
    turn.write(b, most)
    assert len(said) == 1, "as much as the bound waits for the end of the turn"
    turn.write(b, b"y")
    assert said[1:] == [("b", most + b"y")]
    turn.write(b, b"z")
    await asyncio.sleep(0)
    assert said[2:] == [("b", b"z")]


async def test_nothing_is_written_to_a_socket_that_is_closing(said: Said) -> None:
    turn = turn_of(asyncio.get_running_loop())
    turn.write(Socket("a", said), b"first")
    gone, there = Socket("gone", said), Socket("there", said)
    for socket in (gone, there):
        turn.write(socket, b"word")
    gone.is_closed = True
    turn.finish(gone)
    await asyncio.sleep(0)
    assert said == [("a", b"first"), ("there", b"word")]


async def test_what_is_held_of_a_socket_can_be_written_before_the_end(said: Said) -> None:
    turn = turn_of(asyncio.get_running_loop())
    turn.write(Socket("a", said), b"first")
    b = Socket("b", said)
    turn.write(b, b"last words")
    turn.finish(b)
    turn.finish(b)
    assert said[1:] == [("b", b"last words")]
    await asyncio.sleep(0)
    assert len(said) == 2


async def test_a_write_that_fails_keeps_nobody_elses_words_back(said: Said) -> None:
    class Broken(Socket):
        def write(self, data: bytes) -> None:
            raise RuntimeError("the handle is closed")

    turn = turn_of(asyncio.get_running_loop())
    for socket in (Socket("a", said), Broken("b", said), Socket("c", said)):
        turn.write(socket, b"word")
    await asyncio.sleep(0)
    assert said == [("a", b"word"), ("c", b"word")]


def test_a_loop_has_one_turn_and_two_loops_have_two() -> None:
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        assert turn_of(first) is turn_of(first)
        assert turn_of(first) is not turn_of(second)
    finally:
        first.close()
        second.close()


def test_a_turn_is_forgotten_with_its_loop() -> None:
    loop = asyncio.new_event_loop()
    turn = weakref.ref(turn_of(loop))
    loop.close()
    del loop
    gc.collect()
    assert turn() is None
