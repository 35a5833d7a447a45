"""Ids of calls, attempts and requests: UUIDv7 in hex, unique and in the order of time."""

from __future__ import annotations

import os
import time

RANDOM_BYTES = 10
DRAWN = 256
VERSION = 0x7 << 76
VARIANT = 0x2 << 62
CLEAR = ~((0xF << 76) | (0x3 << 62))

_ends: list[int] = []
"""Random ends of ids to come, drawn many at a time: each draw is a system call."""

os.register_at_fork(after_in_child=_ends.clear)


def new_id() -> str:
    """Made in the loop's thread only, where nothing comes between a look and a draw."""
    if not _ends:
        _draw()
    return f"{time.time_ns() // 1_000_000 << 80 | _ends.pop():032x}"


def _draw() -> None:
    row = os.urandom(RANDOM_BYTES * DRAWN)
    for at in range(0, len(row), RANDOM_BYTES):
        _ends.append(int.from_bytes(row[at : at + RANDOM_BYTES]) & CLEAR | VERSION | VARIANT)
