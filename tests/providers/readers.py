"""A dialect's reader that takes no event for another's like, and one that counts those it takes."""

from __future__ import annotations

from typing import Any

from providers.types import ChatChunk


class Careful:
    """Before a reader's class: each event is read by itself."""

    def alike(self, data: bytes) -> ChatChunk | None:
        return None


class Counting:
    """Before a reader's class: `alike_count` events were recognised by their bytes."""

    alike_count = 0

    def alike(self, data: bytes) -> ChatChunk | None:
        reader: Any = super()
        chunk: ChatChunk | None = reader.alike(data)
        self.alike_count += chunk is not None
        return chunk
