"""Ids of calls, attempts and requests: UUIDv7 in hex, unique and in the order of time."""

from __future__ import annotations

import os
import time

RANDOM_BYTES = 10
ROW = RANDOM_BYTES * 256


class _Random:
    """Bytes of the system's generator, drawn many at a time: each draw is a system call."""

    def __init__(self) -> None:
        self._row, self._at = b"", ROW

    def take(self) -> int:
        """80 random bits, never the same twice."""
        if self._at >= ROW:
            self._row, self._at = os.urandom(ROW), 0
        at = self._at
        self._at = at + RANDOM_BYTES
        return int.from_bytes(self._row[at : at + RANDOM_BYTES])

    def forget(self) -> None:
        self._at = ROW


_random = _Random()
os.register_at_fork(after_in_child=_random.forget)
VERSION = 0x7 << 76
VARIANT = 0x2 << 62
CLEAR = ~((0xF << 76) | (0x3 << 62))


def new_id() -> str:
    """Made in the loop's thread only, where nothing comes between two draws."""
    value = (time.time_ns() // 1_000_000 << 80) | _random.take()
    return f"{value & CLEAR | VERSION | VARIANT:032x}"
