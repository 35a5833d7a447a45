"""One file lock that every writer of a SQLite file passes, in every process.

SQLite's own wait for a busy database is unfair (seconds at worst), and its versions up to 3.51.2
can lose a commit when two connections write and checkpoint at the same time. Behind the gate no
two connections ever write or checkpoint at once.
"""

from __future__ import annotations

import fcntl
import os
import time

WAIT_SECONDS = 20.0
POLL_SECONDS = (0.0002, 0.0005, 0.001, 0.002)


class GateTimeout(Exception):
    """The gate stayed shut for WAIT_SECONDS."""


class Gate:
    """A lock on `path`, one per connection; `open` waits its turn, `close` lets the next one in."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self.is_open = False

    def open(self) -> None:
        if self.is_open:
            return
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + WAIT_SECONDS
        tries = 0
        while not self._try():
            if time.monotonic() > deadline:
                raise GateTimeout(f"no turn to write within {WAIT_SECONDS} s")
            time.sleep(POLL_SECONDS[min(tries, len(POLL_SECONDS) - 1)])
            tries += 1
        self.is_open = True

    def _try(self) -> bool:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        if self.is_open and self._file is not None:
            self.is_open = False
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def drop(self) -> None:
        """Give the lock and its file back; the next `open` starts anew."""
        self.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None
