"""A call as a generator that does no I/O: build, send, read, try again, fall back.

It yields what is to be done (`Fetch`, `Open`, `More`, `Body`, `Pause`) and is sent what came of
it; `drivers.py` does it for a thread or for a loop. So whole and streamed, sync and async share
every decision. At most one connection is open at a time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import orjson

from .. import client
from ..dialects.openai_wording import THOUGHTS
from ..errors import ConnectionLost, ProviderError, Unsupported, UnusableAnswer
from ..routing import Target
from ..sse import SseSplitter
from ..types import ChatChunk, ChatResponse, HttpRequest
from . import failures
from .addresses import find_target
from .arguments import Call, other_call

# https://github.com/openai/openai-python, `_base_client.py`, 2026-11: 0.5 s doubled, at most 8 s
PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 8.0
REBUILDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP request, ready to leave."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    first_byte_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Send, read everything, close: `Fetched` comes back."""

    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class Open:
    """Send and keep the connection: `Fetched` without a body comes back."""

    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class More:
    """The next bytes of what is open, or b"" at its end."""


@dataclass(frozen=True, slots=True)
class Body:
    """All bytes of what is open."""


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step = Fetch | Open | More | Body | Pause


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Ready:
    """A target with the request as it will be sent there; `dropped` was left out on purpose."""

    target: Target
    built: HttpRequest
    outgoing: Outgoing
    dropped: tuple[str, ...]
    rates: tuple[float, float] | None = None


class Refused(Exception):
    """The call has failed for good: the last error, and whose it was."""

    def __init__(
        self, error: ProviderError, model: str, provider: str | None, headers: Mapping[str, str]
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.model = model
        self.provider = provider
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, and how it was come by."""

    response: ChatResponse
    ready: Ready
    headers: Mapping[str, str]
    attempts: int = 1


class Reader(Protocol):
    """Bytes of a stream into its pieces; `feed(b"")` is the end of the bytes."""

    has_ended: bool

    def feed(self, data: bytes) -> list[Any]: ...


class Reading:
    """Bytes of a stream into chunks; `feed(b"")` is the end of the bytes."""

    def __init__(self, dialect: str) -> None:
        self._reader = client.DIALECTS[dialect].StreamReader()
        self._splitter = SseSplitter()
        self.has_ended = False

    def feed(self, data: bytes) -> list[ChatChunk]:
        """Raises ConnectionLost where the bytes end before the provider's own end."""
        chunks: list[ChatChunk] = []
        for event in self._splitter.feed(data) if data else self._splitter.close():
            chunks += self._reader.feed(event)
            if chunks and chunks[-1].is_last:
                break
        if not data and not (chunks and chunks[-1].is_last):
            # A dialect without an event for its end says by close() whether the answer is whole.
            close = getattr(self._reader, "close", None)
            chunks += close() if close is not None else []
        self.has_ended = bool(chunks) and chunks[-1].is_last
        if not data and not self.has_ended:
            raise ConnectionLost("the provider ended the stream before its end")
        return chunks


@dataclass(frozen=True, slots=True)
class Begun:
    """A stream whose first chunks are there; from here on nothing is tried again."""

    chunks: Sequence[Any]
    reading: Reader
    ready: Ready
    headers: Mapping[str, str]
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Posted:
    """A JSON document that was answered to a JSON document."""

    document: Any
    ready: Ready
    headers: Mapping[str, str]
    attempts: int = 1


Outcome = TypeVar("Outcome", Answered, Begun, Posted)
Steps = Generator[Step, Any, Outcome]
Build = Callable[[Call, Target], tuple[HttpRequest, list[str]]]


def whole(ready: Ready) -> Steps[Answered]:
    """One attempt at a whole answer."""
    fetched: Fetched = yield Fetch(ready.outgoing)
    dialect = client.DIALECTS[ready.target.provider.dialect]
    document = _document(fetched, ready)
    return Answered(dialect.read_response(document), ready, fetched.headers)


def posting(ready: Ready) -> Steps[Posted]:
    """One attempt at a document that stays as the provider wrote it."""
    fetched: Fetched = yield Fetch(ready.outgoing)
    return Posted(_document(fetched, ready), ready, fetched.headers)


def _document(fetched: Fetched, ready: Ready) -> Any:
    if fetched.status != 200:
        dialect = client.DIALECTS[ready.target.provider.dialect]
        error = dialect.read_error(fetched.status, fetched.headers, fetched.body)
        raise _refused(error, ready, fetched.headers)
    try:
        return orjson.loads(fetched.body)
    except orjson.JSONDecodeError as error:
        raise UnusableAnswer("the provider's answer is not JSON") from error


def opening(ready: Ready) -> Steps[Begun]:
    """One attempt at a stream, up to its first chunk."""
    return begin(ready, Reading(ready.target.provider.dialect))


def begin(ready: Ready, reading: Reader) -> Steps[Begun]:
    """One attempt at a stream of anything, up to the first that `reading` makes of it."""
    opened: Fetched = yield Open(ready.outgoing)
    if opened.status != 200:
        body: bytes = yield Body()
        dialect = client.DIALECTS[ready.target.provider.dialect]
        error = dialect.read_error(opened.status, opened.headers, body)
        raise _refused(error, ready, opened.headers)
    if "event-stream" not in opened.headers.get("content-type", ""):
        raise UnusableAnswer("the provider's answer is not an event stream")
    pieces: list[Any] = []
    while not pieces:
        data: bytes = yield More()
        pieces = reading.feed(data)
    return Begun(pieces, reading, ready, opened.headers)


def run(
    call: Call,
    attempt: Callable[[Ready], Steps[Outcome]],
    build: Build | None = None,
) -> Steps[Outcome]:
    """The call's model, then its fallbacks; raises Refused with the last error."""
    waiting = [call, *call.fallbacks]
    seen: set[str] = set()
    while True:
        now = waiting.pop(0)
        seen.add(now.request.model)
        try:
            return (yield from _tried(now, attempt, build or build_chat))
        except Refused as refused:
            longer = call.longer.get(now.request.model)
            if failures.name_of(refused.error) == "ContextWindowExceededError" and longer:
                waiting[:0] = [] if longer in seen else [other_call(call, {"model": longer})]
            if not waiting or not failures.is_worth_another_target(refused.error):
                raise


def _tried(
    call: Call,
    attempt: Callable[[Ready], Steps[Outcome]],
    build: Build,
) -> Steps[Outcome]:
    """One model, up to `retries` more times where that may help."""
    try:
        ready = prepare(call, build)
    except ProviderError as error:
        raise Refused(error, call.request.model, call.provider, {}) from error
    for number in range(call.retries + 1):
        try:
            outcome = yield from attempt(ready)
            return replace(outcome, attempts=number + 1)
        except (ProviderError, Refused) as failed:
            refused = failed if isinstance(failed, Refused) else _refused(failed, ready, {})
            word = refused.headers.get("x-should-retry")
            if number == call.retries or not failures.is_worth_a_retry(refused.error, word):
                raise refused from refused.error
        yield Pause(pause_seconds(number, refused.error.retry_after_seconds))
    raise AssertionError("the last attempt returns or raises")


def pause_seconds(number: int, told: float | None) -> float:
    """What the provider says (at most 60 s, see `answers.retry_after`), else doubling, jittered."""
    if told is not None:
        return told
    seconds = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2.0**number)
    return seconds * (1 - 0.25 * random.random())


def prepare(call: Call, build: Build) -> Ready:
    """Raises Unsupported where the provider has no words for an option and nothing may drop it."""
    target = find_target(call.request.model, call.provider, call.api_key, call.api_base)
    built, dropped = build(call, target)
    headers = {
        "user-agent": "tollgate",
        **built.headers,
        **target.provider.headers(target.api_key),
        **call.headers,
    }
    seconds = call.limits.first_byte_seconds if call.request.stream else call.limits.answer_seconds
    url = target.base_url + built.path
    outgoing = Outgoing(url, headers, built.body, seconds, call.limits.total_seconds)
    return Ready(target, built, outgoing, tuple(sorted({*call.dropped, *dropped})), call.rates)


def build_chat(call: Call, target: Target) -> tuple[HttpRequest, list[str]]:
    """The request, and what it leaves out; an option that a dialect refuses is left out too."""
    request, left_out = call.request, list(call.unsaid)
    for _ in range(REBUILDS_MAX):
        try:
            built = client.build(request, target)
        except Unsupported as error:
            if not call.drops or error.param is None or error.param not in request.options:
                raise
            left_out.append(error.param)
            options = {k: v for k, v in request.options.items() if k != error.param}
            request = replace(request, options=options)
            continue
        left_out += built.dropped
        return built, allowed(call, target, left_out)
    raise AssertionError("a rebuild drops an option each time")


def allowed(call: Call, target: Target, left_out: list[str]) -> list[str]:
    """What is left out, where that may be; nothing is ever left out in silence.

    The thoughts of another model in a history are told, and no reason to refuse a call.
    """
    asked = [name for name in left_out if name not in THOUGHTS]
    if asked and not call.drops:
        raise Unsupported(
            f"{target.provider.name} does not support {sorted(asked)} for {target.model}. "
            "Set drop_params=True to leave out what a provider does not support.",
            param=asked[0],
        )
    return left_out


def _refused(error: ProviderError, ready: Ready, headers: Mapping[str, str]) -> Refused:
    return Refused(error, ready.target.model, ready.target.provider.name, dict(headers))
