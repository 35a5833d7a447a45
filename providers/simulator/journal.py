"""What the simulator served: one line when a call begins to be answered, one when it ends.

Both are on disk before what follows them: `start` before the first byte of the answer. Lines of
concurrent calls share one fsync.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Call:
    """A served call; `outcome` is "unfinished" where the simulator itself was ended."""

    id: str
    attempt: str | None
    wire: str
    model: str
    is_stream: bool
    status: int
    input_tokens: int
    output_tokens: int
    outcome: str


class Journal:
    """Appends lines; `write` comes back when they are on disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, line: dict[str, Any]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        document = {**line, "at": datetime.now(UTC).isoformat()}
        self._waiting.append((orjson.dumps(document) + b"\n", done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._flush())
        await asyncio.shield(done)

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.to_thread(self._append, b"".join(line for line, _ in batch))
            for _, done in batch:
                if not done.cancelled():
                    done.set_result(None)
        self._writer = None

    def _append(self, data: bytes) -> None:
        os.write(self._file, data)
        os.fsync(self._file)


def read_journal(path: Path) -> list[Call]:
    """The calls in the order in which they began; a torn last line is left out."""
    if not path.exists():
        return []
    return _calls(path.read_bytes().splitlines())


def _calls(lines: Iterable[bytes]) -> list[Call]:
    calls: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        calls.setdefault(document["id"], {"outcome": "unfinished"}).update(document)
    return [
        Call(
            id=known["id"],
            attempt=known.get("attempt"),
            wire=known["wire"],
            model=known["model"],
            is_stream=known["stream"],
            status=known["status"],
            input_tokens=known.get("input_tokens", 0),
            output_tokens=known.get("output_tokens", 0),
            outcome=known["outcome"],
        )
        for known in calls.values()
    ]
