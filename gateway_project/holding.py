"""What a call asks of the ledger: the most that it can cost at its dearest target. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from budgets.operations import Reserve, WindowKey
from providers.embeddings import EmbeddingRequest
from providers.flow import Bus
from providers.pricing import Bound, bound, ways_of
from providers.pricing import PriceUnknown as NoPrice

from .errors import PriceUnknown
from .facts import Candidate, Grant, InputTokens, Labels, Meter, Plan, Principal, Request
from .gateway import Gateway
from .ids import new_id


def ask(
    request: Request,
    bus: Bus,
    call: str,
    candidates: tuple[Candidate, ...],
    number: int,
) -> Reserve:
    """A hold for the dearest of `candidates`; the first of them is the one to be tried."""
    principal = bus[Principal]
    bounds = _bounds(request, bus, candidates)
    answers = _answers(request)
    cap = bus[Grant].cap if Grant in bus else request.max_tokens
    first = candidates[0]
    return Reserve(
        attempt=new_id(),
        call=call,
        call_no=number,
        tenant_id=principal.tenant_id,
        key_id=principal.key_id,
        zone=principal.zone,
        windows=_windows(bus) if number == 1 else bus[Grant].windows,
        rate=None if bus[Meter].has_taken_rate else principal.rate,
        base_nanos=max(each.base_nanos for each in bounds),
        output_pico_per_token=max(each.output_pico_per_token for each in bounds),
        output_tokens=None if cap is None else cap * answers,
        output_tokens_max=_output_tokens_max(bus) if cap is None else cap,
        answers=answers,
        provider=first.target.provider.name,
        model=first.target.model,
        price_id=first.price.id,
        owner=bus[Gateway].owner,
        seconds_max=bus[Gateway].hold_seconds_max,
        directory_version=principal.directory_version,
        user=bus[Labels].user,
        tags=bus[Labels].tags,
    )


def _bounds(request: Request, bus: Bus, candidates: tuple[Candidate, ...]) -> list[Bound]:
    """The most that each can cost; from counted tokens where a window is not far from full."""
    tokens, ways = bus[InputTokens], _ways(request)
    try:
        found = [bound(each.price, tokens.tokens_max, ways=ways) for each in candidates]
        dearest = max(each.base_nanos for each in found)
        if tokens.is_counted or bus[Gateway].windows.are_wide(bus[Principal].key_id, dearest):
            return found
        most = tokens.counted().tokens_max
        return [bound(each.price, most, ways=ways) for each in candidates]
    except NoPrice as error:
        raise PriceUnknown(request.model) from error


def _answers(request: Request) -> int:
    return 1 if isinstance(request, EmbeddingRequest) else int(request.options.get("n") or 1)


def _ways(request: Request) -> Collection[str] | None:
    """The service tiers that may come back; of vectors, whose options go on unread, every one."""
    return None if isinstance(request, EmbeddingRequest) else ways_of(request.options)


def _windows(bus: Bus) -> tuple[WindowKey, ...]:
    gateway = bus[Gateway]
    return gateway.windows.of(bus[Principal], gateway.now_us())


def _output_tokens_max(bus: Bus) -> int:
    """The cap where the caller gives none: the route's default, within call and context."""
    tokens, plan = bus[InputTokens], bus[Plan]
    default, most = plan.output_tokens_default, plan.tokens_max
    if default <= most - tokens.tokens_max:
        return default
    return max(1, min(default, most - tokens.counted().tokens))
