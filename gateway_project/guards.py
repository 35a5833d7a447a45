"""One function per guard: each looks, and refuses or writes its one fact. None changes anything."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase

from providers.flow import Bus

from . import vault
from .directory import KeyRow
from .errors import InvalidKey, InvalidRequest, NotAllowed, RateExceeded
from .facts import Bearer, InputTokens, Principal, Request
from .gateway import Gateway


def bearer(authorization: str) -> Bearer:
    """The caller's key from an `Authorization` header; what is no bearer is empty."""
    scheme, _, token = authorization.partition(" ")
    token = token if scheme.lower() == "bearer" else ""
    return Bearer(token, vault.digest(token))


async def authenticate(request: Request, bus: Bus) -> None:
    """Who is calling? Reads the snapshot; a key it does not know yet gets one look-up."""
    gateway = bus[Gateway]
    bus.put(gateway.directory.principal(await identify(bus[Bearer], gateway)))


async def identify(bearer: Bearer, gateway: Gateway) -> KeyRow:
    """The key behind a bearer; raises InvalidKey."""
    key = gateway.directory.keys.get(bearer.digest)
    if key is None and vault.is_well_formed(bearer.token):
        key = await gateway.look_up(bearer.digest)
    if key is None or not key.is_active:
        raise InvalidKey()
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        raise InvalidKey("This API key has expired.")
    if not gateway.directory.tenants[key.tenant_id].is_active:
        raise InvalidKey("The tenant of this API key is suspended.")
    return key


async def allow_model(request: Request, bus: Bus) -> None:
    """May this key call this model? An empty list allows every model."""
    if not may_call(bus[Principal], request.model):
        raise NotAllowed(f"This key may not call {request.model!r}.")


def may_call(principal: Principal, model: str) -> bool:
    allowed = principal.allowed_models
    return not allowed or any(fnmatchcase(model, pattern) for pattern in allowed)


async def limit_rate(request: Request, bus: Bus) -> None:
    """Refuse at once what this process knows to be too fast; the exact decision is the ledger's."""
    principal = bus[Principal]
    refused = bus[Gateway].rate_refusal(principal.key_id)
    if refused is not None and principal.rate is not None:
        raise RateExceeded(refused, principal.key_prefix)


async def count_tokens(request: Request, bus: Bus) -> None:
    """Input plus what may be answered must fit the limit of a call; counted if a bound does not."""
    found = InputTokens(request)
    bus.put(found)
    limit, output = bus[Gateway].tokens_max, request.max_tokens or 0
    if found.bound + output <= limit and found.bound < limit:
        return
    count = found.counted()
    if count.tokens + output > limit or count.tokens >= limit:
        raise InvalidRequest(
            f"The call has {count.tokens} input tokens and may answer with {output}; "
            f"together they exceed the limit of {limit}.",
            status=413,
            code="context_length_exceeded",
            param=found.param,
        )
