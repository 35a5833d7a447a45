"""The story of a request.

| step | kind | writes | may refuse with |
|---|---|---|---|
| authenticate | Guard | Principal | 401 |
| allow_model | Guard | | 403 |
| limit_rate | Guard | | 429, where this process knows already |
| count_tokens | Guard | InputTokens | 413 |
| route | Transition | Plan | 404, 422, 503 |
| reserve | Transition | Grant | 429 rate, 429 budget, decided in one transaction |
| dispatch | Transition or StreamingTransition | fills Meter | 502, 504, the provider's own |
| settle | exit, always runs | posting and audit entry, one transaction | never |

`complete` and `stream` are the two short bodies of it; both run in a task that the process owns,
and the door only awaits. A fallback happens before the first byte to the caller, never after.
Embeddings are dispatched by a body of their own, `embedding_pipeline.py`; all else is the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType

from budgets.operations import (
    BudgetRefused,
    Granted,
    RateRefused,
    Reserve,
    Stale,
    WindowPassed,
)
from providers import client, routing
from providers.catalog import PROVIDERS, resolve
from providers.embeddings import EmbeddingRequest
from providers.embeddings.client import can_embed
from providers.errors import ProviderError, Unsupported
from providers.flow import Bus
from providers.types import ChatChunk, ChatRequest, ChatResponse, HttpRequest

from . import billing, guards, holding, metering
from .books import LedgerUnavailable
from .errors import (
    BudgetExceeded,
    InvalidRequest,
    NotAllowed,
    PriceUnknown,
    RateExceeded,
    Refusal,
    Unavailable,
    UnknownModel,
    of_provider,
    quoted,
)
from .facts import (
    Attempt,
    Bearer,
    Candidate,
    Grant,
    InputTokens,
    Labels,
    Meter,
    Plan,
    Principal,
    Request,
)
from .gateway import Gateway
from .ids import new_id
from .streams import Outlet, until

logger = logging.getLogger(__name__)

ADMISSIONS_MAX = 4
OUTPUT_TOKENS_DEFAULT = 4_096
PENDING_CHUNKS_MAX = 64

Wanted = tuple[str, str, str | None]
"""A provider, a model there, and the credential that a route names."""


async def complete(request: ChatRequest, bus: Bus) -> ChatResponse:
    """A whole answer, booked before it is given. `bus` comes from `admit`."""
    async with settled(bus):
        return await dispatch(request, bus)


async def stream(
    request: ChatRequest, bus: Bus, outlet: Outlet, headers: Callable[[Bus], dict[str, str]]
) -> None:
    """The answer in pieces, what came together together; booked when this comes back.

    `headers` is asked for what goes out ahead of the first of them. A piece that comes while the
    next is waited for, and that may go out at once, takes the shortcut (`dispatch_stream`).
    """
    async with settled(bus):
        first, rest = await dispatch_stream(request, bus, outlet)
        attempt = bus[Meter].current
        async with aclosing(rest):
            if first:
                await outlet.put(first, headers(bus))
            async for chunks in rest:  # the transport knows how long all of it may take
                metering.note(attempt, chunks)
                await outlet.put(chunks)


async def admit(request: Request, bearer: Bearer, labels: Labels, gateway: Gateway) -> Bus:
    """Steps 2 to 7: the facts of a call that may go to a provider, its money held."""
    meter = Meter()
    for _ in range(ADMISSIONS_MAX):
        bus = Bus(gateway, bearer, labels, meter)
        try:
            await guards.authenticate(request, bus)
            await guards.allow_model(request, bus)
            await guards.limit_rate(request, bus)
            await guards.count_tokens(request, bus)
            await route(request, bus)
            if await reserve(request, bus):
                return bus
        except Refusal as refusal:
            if isinstance(refusal, NotAllowed | UnknownModel) and await gateway.has_news():
                continue
            _note_refusal(refusal, request, bus)
            raise
    raise Unavailable("directory_changing", "Keys and limits are changing; try again.")


class settled:  # it is read as a word of the two bodies
    """Whatever happens inside, the attempt that is still open is booked on the way out."""

    __slots__ = ("_bus",)

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """A provider's error leaves as the caller's refusal."""
        attempt = self._bus[Meter].current
        if isinstance(error, asyncio.CancelledError | ProviderError):
            attempt.error = error
        await settle(self._bus)
        if isinstance(error, ProviderError):
            raise of_provider(error, attempt.candidate.target.provider.name) from error


async def route(request: Request, bus: Bus) -> None:
    """The targets of this call in the order to try them, each with the price in force."""
    gateway, principal = bus[Gateway], bus[Principal]
    plan = gateway.plans.find(principal, request)
    if plan is None:
        plan = _plan(request, principal, gateway)
        gateway.plans.keep(principal, request, plan)
    bus.put(plan)


def _plan(request: Request, principal: Principal, gateway: Gateway) -> Plan:
    """Reads the snapshot, and of the request nothing but its kind, its model and its provider."""
    row = None if request.provider else gateway.directory.routes.get(request.model)
    wanted = list(row.targets) if row else _by_name(request, principal)
    if isinstance(request, EmbeddingRequest):
        wanted = _that_embed(request, wanted)
    candidates = _candidates(request, gateway, wanted)[: routing.ATTEMPTS_MAX]
    default = row.output_tokens_default if row else OUTPUT_TOKENS_DEFAULT
    contexts = [each.price.context_window for each in candidates]
    most = min([gateway.tokens_max, *filter(None, contexts)])
    return Plan(request.model, tuple(candidates), default, most)


def _by_name(request: Request, principal: Principal) -> list[Wanted]:
    """Where the name leads, and for a chat its fallback; vectors of two models do not compare."""
    first = routing.choose(request.model, request.provider)
    second = routing.fallback(*first) if isinstance(request, ChatRequest) else None
    if second is not None and guards.may_call(principal, second[1]):
        return [(*first, None), (*second, None)]
    return [(*first, None)]


def _that_embed(request: Request, wanted: list[Wanted]) -> list[Wanted]:
    """Targets of providers that have embeddings; one that is not known is refused later."""
    able = [each for each in wanted if each[0] not in PROVIDERS or can_embed(PROVIDERS[each[0]])]
    if not able:
        raise InvalidRequest(
            f"The model {quoted(request.model)} has no embeddings.",
            param="model",
            code="unsupported_model",
        )
    return able


def _candidates(request: Request, gateway: Gateway, wanted: list[Wanted]) -> list[Candidate]:
    """Targets with a price and an address; the first one's lack of a price is the refusal."""
    provider, model, _ = wanted[0]
    if gateway.directory.price(provider, model) is None:
        raise _unpriced(request, gateway, provider)
    candidates = []
    for provider, model, credential in wanted:
        price = gateway.directory.price(provider, model)
        target = gateway.directory.upstream(provider, model, credential)
        if price is not None and target is not None:
            candidates.append(Candidate(target, price))
    if not candidates:
        raise Unavailable("no_credential", f"No credential is set for {wanted[0][0]}.")
    return candidates


def _unpriced(request: Request, gateway: Gateway, provider: str) -> Refusal:
    """A model that was routed or chosen on purpose lacks a price; any other does not exist."""
    is_chosen = request.provider is not None or resolve(request.model.split("/")[0]) == provider
    if (is_chosen or request.model in gateway.directory.routes) and provider in PROVIDERS:
        return PriceUnknown(request.model)
    return UnknownModel(request.model)


async def reserve(request: Request, bus: Bus) -> bool:
    """Hold the most that this call can cost at its dearest target; False means: admit it again."""
    plan, meter = bus[Plan], bus[Meter]
    call = new_id()
    ask = holding.ask(request, bus, call, plan.candidates, number=1)
    answer = await _submit(bus, ask)
    match answer:
        case Granted():
            meter.has_taken_rate = True
            bus[Gateway].saw_clock(answer.now_us)
            bus[Gateway].windows.saw_free(ask.key_id, answer.free_nanos)
            answers = ask.answers
            grant = Grant(
                call=call,
                output_tokens=answer.output_tokens,
                cap=answer.output_tokens // answers,
                was_injected=request.max_tokens is None,
                windows=ask.windows,
            )
            bus.put(grant)
            meter.attempts.append(Attempt(ask.attempt, 1, plan.candidates[0]))
            return True
        case BudgetRefused() if not bus[InputTokens].is_counted:
            meter.has_taken_rate = True  # which is decided first
            bus[Gateway].windows.saw_free(ask.key_id, 0)  # ask again, with the exact count
        case BudgetRefused():
            raise BudgetExceeded(answer, bus[Principal].tenant)
        case RateRefused():
            bus[Gateway].remember_rate_refusal(bus[Principal].key_id, answer)
            raise RateExceeded(answer, bus[Principal].key_prefix)
        case WindowPassed():
            bus[Gateway].saw_clock(answer.now_us)
        case Stale():
            await bus[Gateway].refresh()
    return False


async def _submit(bus: Bus, ask: Reserve) -> object:
    try:
        [answer] = await bus[Gateway].books.submit(ask)
    except LedgerUnavailable as error:
        raise Unavailable("ledger_unavailable", "The ledger cannot be reached now.") from error
    return answer


async def dispatch(request: ChatRequest, bus: Bus) -> ChatResponse:
    """Ask the targets in order until one answers."""
    while True:
        attempt = bus[Meter].current
        try:
            response = await client.complete(
                _built(request, bus),
                attempt.candidate.target,
                bus[Gateway].transport,
                bus[Gateway].limits,
                attempt.id,
            )
        except ProviderError as error:
            await advance(request, bus, error)
            continue
        attempt.usage = response.usage
        attempt.text.append(metering.text_of(response))
        bus[Meter].response = response
        return response


async def dispatch_stream(
    request: ChatRequest, bus: Bus, outlet: Outlet
) -> tuple[list[ChatChunk], AsyncGenerator[list[ChatChunk]]]:
    """Ask the targets in order until one begins to answer; returns what it said, and the rest."""
    while True:
        attempt, gateway = bus[Meter].current, bus[Gateway]
        try:
            rest = client.stream(
                _built(request, bus),
                attempt.candidate.target,
                gateway.transport,
                gateway.limits,
                attempt.id,
                _shortcut(attempt, outlet),
            )
            return await _begun(rest, attempt, gateway.limits.first_byte_seconds), rest
        except ProviderError as error:
            await advance(request, bus, error)


def _shortcut(attempt: Attempt, outlet: Outlet) -> client.Taker:
    """For chunks that can go out as they come in, with no task awake; metered as all others are."""

    def take(chunk: ChatChunk) -> bool:
        is_out = outlet.offer(chunk)
        if is_out:
            metering.note(attempt, (chunk,))
        return is_out

    return take


async def _begun(
    source: AsyncGenerator[list[ChatChunk]], attempt: Attempt, seconds: float
) -> list[ChatChunk]:
    """Chunks, kept back until the first that says something to the caller; else closes `source`."""
    pending: list[ChatChunk] = []
    try:
        while not any(map(metering.says_something, pending)) and len(pending) <= PENDING_CHUNKS_MAX:
            chunks = await until(source, seconds)
            if chunks is None:
                break
            metering.note(attempt, chunks)
            pending += chunks
    except BaseException:
        await source.aclose()
        raise
    return pending


async def advance(request: Request, bus: Bus, error: ProviderError) -> None:
    """Book the failed attempt and hold money for the next target; re-raises if there is none."""
    meter, plan = bus[Meter], bus[Plan]
    failed = meter.current
    failed.error = error
    rest = plan.candidates[failed.no :]
    if not rest or not (error.retryable or isinstance(error, Unsupported)):
        raise error  # what one dialect has no words for, another may: nothing was sent
    ask = holding.ask(request, bus, bus[Grant].call, rest, number=failed.no + 1)
    bill = billing.bill(failed, bus)
    _, answer = await bus[Gateway].books.submit(bill, ask)
    failed.is_open = False
    logger.warning(
        "%s failed (%s), falling back to %s",
        failed.candidate.target.label,
        type(error).__name__,
        rest[0].target.label,
        extra={"fields": {"call": bus[Grant].call, "status": error.status}},
    )
    if isinstance(answer, BudgetRefused):
        raise BudgetExceeded(answer, bus[Principal].tenant) from error
    if not isinstance(answer, Granted):
        raise error
    meter.attempts.append(Attempt(ask.attempt, ask.call_no, rest[0]))


async def settle(bus: Bus) -> None:
    """Book the attempt that is still open; comes back when its posting is committed."""
    attempt = bus[Meter].current
    if not attempt.is_open:
        return
    bill = billing.bill(attempt, bus)
    attempt.is_open = False
    await bus[Gateway].books.submit(bill)


def _built(request: ChatRequest, bus: Bus) -> HttpRequest:
    """The request as this attempt's target is asked, with the cap that the ledger allowed."""
    attempt = bus[Meter].current
    if request.max_tokens is None:
        request = replace(request, max_tokens=bus[Grant].cap)
    built = client.build(request, attempt.candidate.target)
    attempt.dropped = tuple(built.dropped)
    return built


def _note_refusal(refusal: Refusal, request: Request, bus: Bus) -> None:
    principal = bus.get(Principal)
    if principal is not None:
        gateway = bus[Gateway]
        reason, now_us = refusal.code or refusal.type, gateway.now_us()
        gateway.refusals.add(principal.tenant_id, principal.key_id, reason, now_us)
        gateway.log.add_refused(request, bus, now_us, refusal)
