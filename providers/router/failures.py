"""What kind of failure an error is, and what follows from it. One table.

| kind | LiteLLM's policy name | same deployment again | another one | counts against health |
|---|---|---|---|---|
| bad_request | BadRequestError | no | no | no |
| unsupported | | no | yes, it costs nothing | no |
| context_window | | no | context_window_fallbacks | no |
| content_policy | ContentPolicyViolationError | no | content_policy_fallbacks | no |
| authentication | AuthenticationError | no | yes | rests at once |
| not_found | NotFoundError | no | yes | rests at once |
| quota | | no | yes | rests at once |
| rate_limit | RateLimitError | after its rest | yes | rests at once |
| timeout | TimeoutError | yes | yes | yes |
| unavailable (503, 529) | ServiceUnavailableError | yes | yes | yes |
| bad_gateway (502) | BadGatewayError | yes | yes | yes |
| server (and unusable answers), connection | InternalServerError | yes | yes | yes |

What the caller did wrong (the first four) says nothing about a deployment, so it never counts,
unless an operator's policy names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ..errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ProviderError,
    TimedOut,
    Unsupported,
)
from ..refusals import CONTEXT_CODES, QUOTA_CODES, is_against_policy, is_too_long
from .errors import DeadlinePassed, NoneCapable


class Kind(StrEnum):
    BAD_REQUEST = "bad_request"
    UNSUPPORTED = "unsupported"
    CONTEXT_WINDOW = "context_window"
    CONTENT_POLICY = "content_policy"
    AUTHENTICATION = "authentication"
    NOT_FOUND = "not_found"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    BAD_GATEWAY = "bad_gateway"
    CONNECTION = "connection"
    SERVER = "server"


CALLERS = frozenset({Kind.BAD_REQUEST, Kind.UNSUPPORTED, Kind.CONTEXT_WINDOW, Kind.CONTENT_POLICY})
RESTS_AT_ONCE = frozenset({Kind.AUTHENTICATION, Kind.NOT_FOUND, Kind.QUOTA, Kind.RATE_LIMIT})
NOT_THERE_AGAIN = frozenset({Kind.UNSUPPORTED, Kind.AUTHENTICATION, Kind.NOT_FOUND, Kind.QUOTA})

# https://docs.litellm.ai/docs/routing, 2026-11: RetryPolicy and AllowedFailsPolicy, less the ending
POLICY_NAMES: Mapping[str, tuple[Kind, ...]] = {
    "BadRequestError": (Kind.BAD_REQUEST,),
    "AuthenticationError": (Kind.AUTHENTICATION,),
    "TimeoutError": (Kind.TIMEOUT,),
    "RateLimitError": (Kind.RATE_LIMIT,),
    "ContentPolicyViolationError": (Kind.CONTENT_POLICY,),
    "InternalServerError": (Kind.SERVER, Kind.CONNECTION),
    "ServiceUnavailableError": (Kind.UNAVAILABLE,),
    "BadGatewayError": (Kind.BAD_GATEWAY,),
    "NotFoundError": (Kind.NOT_FOUND,),
}

BY_STATUS: Mapping[int, Kind] = {
    401: Kind.AUTHENTICATION,
    402: Kind.QUOTA,
    403: Kind.AUTHENTICATION,
    404: Kind.NOT_FOUND,
    408: Kind.TIMEOUT,
    429: Kind.RATE_LIMIT,
    502: Kind.BAD_GATEWAY,
    503: Kind.UNAVAILABLE,
    504: Kind.TIMEOUT,
    529: Kind.UNAVAILABLE,
}


def kind_of(error: ProviderError) -> Kind:
    """Every error has one: by its class, then its code and text, then its status."""
    code = (error.code or "").lower()
    match error:
        case NoneCapable():
            return Kind.CONTEXT_WINDOW if code in CONTEXT_CODES else Kind.UNSUPPORTED
        case Unsupported():
            return Kind.UNSUPPORTED
        case BadRequest():
            return _of_request(code, error.message)
        case TimedOut() | DeadlinePassed():
            return Kind.TIMEOUT
        case ConnectFailed() | ConnectionLost():
            return Kind.CONNECTION
    if code in QUOTA_CODES:
        return Kind.QUOTA
    return BY_STATUS.get(error.status or 0, Kind.SERVER)


def _of_request(code: str, message: str) -> Kind:
    if is_too_long(code, message):
        return Kind.CONTEXT_WINDOW
    if is_against_policy(code, message):
        return Kind.CONTENT_POLICY
    return Kind.BAD_REQUEST
