"""The request log: one slim row per call, and one per key, model, reason and minute of refusals.

No prompts and no answers. Rows are gathered here and written once a second, beside the money's
way: what a killed process had not written yet is made up from its postings by `catch_up`. Nobody
can make the table grow for nothing: a flood of refusals is one row a minute.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

from django.db import connection, transaction

from providers.flow import Bus

from .errors import Refusal, unexpected
from .facts import Grant, Labels, Meter, Principal, Request

logger = logging.getLogger(__name__)

MINUTE_US = 60_000_000
CALLS_MAX = 20_000
KINDS_MAX = 10_000
COLUMNS = (
    "call",
    "tenant_id",
    "key_id",
    "model",
    "end_user",
    "tags",
    "provider",
    "attempts",
    "status",
    "code",
    "message",
    "is_stream",
    "opened_us",
    "milliseconds",
    "first_milliseconds",
    "count",
)
INSERT = (
    f"INSERT INTO gateway_loggedcall ({', '.join(COLUMNS)}) "
    f"VALUES ({', '.join(['%s'] * len(COLUMNS))}) ON CONFLICT (call) DO UPDATE SET "
)
REPLACE = INSERT + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
ADD_UP = f"{INSERT} count = gateway_loggedcall.count + excluded.count"


@dataclass(slots=True)
class Line:
    """What the log says of one call, or of `count` refusals of one kind."""

    call: str
    tenant_id: int
    key_id: int
    model: str
    labels: Labels
    opened_us: int
    is_stream: bool
    provider: str = ""
    attempts: str = ""
    status: int = 200
    code: str = ""
    message: str = ""
    milliseconds: int = 0
    first_milliseconds: int | None = None
    count: int = 1

    def values(self) -> tuple[str | int | None, ...]:
        return (
            self.call,
            self.tenant_id,
            self.key_id,
            self.model,
            self.labels.user,
            self.labels.tags,
            self.provider,
            self.attempts,
            self.status,
            self.code,
            self.message,
            self.is_stream,
            self.opened_us,
            self.milliseconds,
            self.first_milliseconds,
            self.count,
        )


@dataclass(slots=True)
class Watch:
    """How long a call has run, and when it first said something."""

    opened_us: int
    started: float = field(default_factory=time.monotonic)
    first_milliseconds: int | None = None

    @property
    def milliseconds(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def saw_first(self) -> None:
        """The first words go out."""
        self.first_milliseconds = self.milliseconds


class CallLog:
    """Lines of this process that are not in the database yet; bounded, and what is over is told."""

    def __init__(self) -> None:
        self._calls: deque[Line] = deque(maxlen=CALLS_MAX)
        self._refused: dict[str, Line] = {}
        self._dropped = 0

    def add(self, request: Request, bus: Bus, watch: Watch, refusal: Refusal | None) -> None:
        """A call that was admitted has ended, well or with `refusal`."""
        line = _line(bus[Grant].call, request, bus, watch.opened_us)
        _tell(line, refusal)
        meter = bus[Meter]
        line.provider = meter.current.candidate.target.provider.name
        line.attempts = ",".join(attempt.id for attempt in meter.attempts)
        line.milliseconds, line.first_milliseconds = watch.milliseconds, watch.first_milliseconds
        self._dropped += len(self._calls) == CALLS_MAX
        self._calls.append(line)

    def add_refused(self, request: Request, bus: Bus, now_us: int, refusal: Refusal) -> None:
        """A call was not admitted; it has a key, so it has a tenant."""
        line = _line("", request, bus, now_us - now_us % MINUTE_US)
        _tell(line, refusal)
        kind = (line.tenant_id, line.key_id, line.model, line.code, line.opened_us)
        line.call = hashlib.sha256(repr(kind).encode()).hexdigest()[:40]
        known = self._refused.get(line.call)
        if known is not None:
            known.count += 1
        elif len(self._refused) < KINDS_MAX:
            self._refused[line.call] = line
        else:
            self._dropped += 1

    def take(self) -> tuple[list[Line], list[Line]]:
        """(calls, refusals) since the last time."""
        if self._dropped:
            logger.warning("the request log dropped %d lines; no money is concerned", self._dropped)
        calls, refused = list(self._calls), list(self._refused.values())
        self._calls.clear()
        self._refused, self._dropped = {}, 0
        return calls, refused

    def put_back(self, calls: list[Line], refused: list[Line]) -> None:
        """Lines that could not be written go first the next time, as far as there is room."""
        room = CALLS_MAX - len(self._calls)
        self._calls.extendleft(reversed(calls[:room]))
        self._dropped += max(0, len(calls) - room)
        for line in refused:
            known = self._refused.setdefault(line.call, line)
            if known is not line:
                known.count += line.count


class logged:  # it is read as a word
    """However the call inside ends, the log has a line of it."""

    __slots__ = ("_bus", "_log", "_request", "_watch")

    def __init__(self, log: CallLog, request: Request, bus: Bus, watch: Watch) -> None:
        self._log, self._request, self._bus, self._watch = log, request, bus, watch

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        refusal = error if error is None or isinstance(error, Refusal) else unexpected()
        self._log.add(self._request, self._bus, self._watch, refusal)


def save(calls: Iterable[Line], refused: Iterable[Line]) -> None:
    """Write lines; again is harmless for calls."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement, lines in ((REPLACE, calls), (ADD_UP, refused)):
            rows = [line.values() for line in sorted(lines, key=lambda line: line.call)]
            if rows:
                cursor.executemany(statement, rows)


def _line(call: str, request: Request, bus: Bus, opened_us: int) -> Line:
    """The model is the caller's text: it is kept as far as a name may be long."""
    who = bus[Principal]
    model = request.model[:256]
    return Line(
        call, who.tenant_id, who.key_id, model, bus[Labels], opened_us, bool(request.stream)
    )


def _tell(line: Line, refusal: Refusal | None) -> None:
    if refusal is not None:
        line.status, line.message = refusal.status, refusal.message
        line.code = refusal.code or refusal.type
