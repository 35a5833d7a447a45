"""One table from what went wrong to what the caller sees: status, type, code, headers.

Refusal                    any answer that is not a success
├── InvalidRequest         400 (or 413, 415, 422), names the parameter
├── InvalidKey             401
├── NotAllowed             403
├── UnknownModel           404
├── BudgetExceeded         429, not to be retried before the window ends
├── RateExceeded           429, to be retried after `retry-after`
├── PriceUnknown           422
├── Unavailable            503: ledger, overload, no credential, draining
└── UpstreamFailed         502, 504 or the provider's own 400, 413, 422, 429

Every body has OpenAI's shape: {"error": {"message", "type", "param", "code"}}, and at the doors
below MESSAGES Anthropic's: {"type": "error", "error": {"type", "message"}, "request_id"}.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from budgets.money import dollars
from budgets.operations import BudgetRefused, RateRefused
from budgets.periods import iso
from providers import errors as upstream
from providers.dialects import anthropic_messages

MESSAGE_MAX = 500
RETRY_SECONDS_MAX = 60
SECRET = re.compile(r"(sk-|tga?_|AIza|Bearer\s+|key=)[A-Za-z0-9_\-\*\.]{6,}")
MESSAGES = "/v1/messages"
NO_RETRY = {"x-should-retry": "false"}


class Refusal(Exception):
    """An answer to the caller other than success."""

    def __init__(
        self,
        status: int,
        type: str,
        code: str | None,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.code = code
        self.message = scrub(message)
        self.param = param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


class InvalidRequest(Refusal):
    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            status, "invalid_request_error", code, message, param=param, headers=headers
        )


class InvalidKey(Refusal):
    def __init__(self, message: str = "Incorrect or missing API key.") -> None:
        super().__init__(401, "invalid_request_error", "invalid_api_key", message)


class NotAllowed(Refusal):
    def __init__(self, message: str) -> None:
        super().__init__(403, "permission_error", "model_not_allowed", message, param="model")


class UnknownModel(Refusal):
    def __init__(self, model: str) -> None:
        super().__init__(
            404,
            "invalid_request_error",
            "model_not_found",
            f"The model {quoted(model)} does not exist here.",
            param="model",
        )


class PriceUnknown(Refusal):
    def __init__(self, model: str) -> None:
        super().__init__(
            422,
            "invalid_request_error",
            "price_unknown",
            f"The model {quoted(model)} has no price, so its cost cannot be held to a budget.",
            param="model",
            headers=NO_RETRY,
        )


class BudgetExceeded(Refusal):
    def __init__(self, refused: BudgetRefused, tenant: str) -> None:
        scope = refused.scope.format(tenant=tenant)
        wait = max(1, math.ceil((refused.resets_us - refused.now_us) / 1_000_000))
        super().__init__(
            429,
            "budget_exceeded",
            "insufficient_quota",
            f"Budget exceeded: {scope} has spent {dollars(refused.spent_nanos)} and holds "
            f"{dollars(refused.held_nanos)} for calls under way, of a limit of "
            f"{dollars(refused.limit_nanos)}; this call needs {dollars(refused.needed_nanos)}. "
            f"Resets at {iso(refused.resets_us)}.",
            headers={**NO_RETRY, "retry-after": str(wait)},
        )


class RateExceeded(Refusal):
    def __init__(self, refused: RateRefused, prefix: str) -> None:
        wait = min(RETRY_SECONDS_MAX, max(1, math.ceil(refused.retry_after_us / 1_000_000)))
        super().__init__(
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
            f"Rate limit reached: key {prefix}… may make {refused.limit.count} requests per "
            f"{refused.limit.per_seconds} s and has used them. The next one fits in {wait} s.",
            headers={"retry-after": str(wait)},
        )


class Unavailable(Refusal):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(503, "server_error", code, message, headers={"retry-after": "1"})


class UpstreamFailed(Refusal):
    pass


def body_at(path: str, refusal: Refusal, request_id: str) -> dict[str, Any]:
    """The body of a refusal in the shape that callers of the door at `path` know."""
    if path.startswith(MESSAGES):
        return anthropic_messages.write_error(refusal.status, refusal.message, request_id)
    return refusal.body()


def of_bad_request(error: upstream.BadRequest) -> InvalidRequest:
    """A request that the door itself found wrong."""
    return InvalidRequest(
        error.message, param=error.param, code=error.code, status=error.status or 400
    )


def of_provider(error: upstream.ProviderError, provider: str) -> Refusal:
    """The last attempt's failure, as the caller sees it."""
    match error:
        case upstream.BadRequest():
            status = error.status if error.status in {400, 413, 422} else 400
            return UpstreamFailed(
                status or 400,
                "invalid_request_error",
                error.code,
                f"{provider}: {error.message}",
                param=error.param,
            )
        case upstream.TimedOut():
            return UpstreamFailed(
                504, "server_error", "upstream_error", f"{provider}: {error.message}"
            )
        case upstream.StatusError(status=429):
            wait = math.ceil(min(RETRY_SECONDS_MAX, max(0.0, error.retry_after_seconds or 1.0)))
            return UpstreamFailed(
                429,
                "rate_limit_error",
                "upstream_rate_limited",
                f"{provider} limits our rate: {error.message}",
                headers={"retry-after": str(max(1, wait))},
            )
        case upstream.StatusError(status=401 | 403 | 404):
            code = "upstream_model" if error.status == 404 else "upstream_auth"
            return UpstreamFailed(
                502,
                "server_error",
                code,
                f"{provider} refused the gateway's request with status {error.status}.",
                headers=NO_RETRY,
            )
    return UpstreamFailed(
        502, "server_error", "upstream_error", f"{provider} failed: {error.message}"
    )


def unexpected() -> Refusal:
    """A fault of ours: the log has it, the caller gets no details."""
    return Refusal(500, "server_error", "internal_error", "The gateway failed on this request.")


def quoted(text: str) -> str:
    """A caller's text inside a message: escaped, and cut."""
    return repr(text if len(text) <= 100 else text[:100] + "…")


def scrub(text: str) -> str:
    """A message without anything that looks like a secret, and not too long."""
    clean = SECRET.sub("[redacted]", text)
    return clean if len(clean) <= MESSAGE_MAX else clean[: MESSAGE_MAX - 1] + "…"


def answer_rest_error(error: Exception, context: Any) -> Any:
    """REST framework's exception handler: its errors in the one shape of this table."""
    from django.core.exceptions import PermissionDenied
    from django.http import Http404
    from rest_framework import exceptions
    from rest_framework.response import Response

    match error:
        case Refusal():
            refusal = error
        case Http404():
            text = "There is no such thing, or none that you may see."
            refusal = Refusal(404, "invalid_request_error", "not_found", text)
        case PermissionDenied():
            refusal = Refusal(403, "permission_error", "forbidden", str(error) or "Not allowed.")
        case exceptions.ValidationError():
            param, text = _first_fault(error.detail)
            refusal = InvalidRequest(text, param=param or None, code="invalid_value")
        case exceptions.APIException():
            kind = "permission_error" if error.status_code == 403 else "invalid_request_error"
            code = str(getattr(error.detail, "code", error.default_code))
            refusal = Refusal(error.status_code, kind, code, str(error.detail))
        case _:
            of_change = _of_change(error)
            if of_change is None:
                return None
            refusal = of_change
    headers = {**refusal.headers, **_headers_of(error)}
    return Response(refusal.body(), status=refusal.status, headers=headers)


def _of_change(error: Exception) -> Refusal | None:
    """What admins asked for, and what cannot be done as things stand."""
    from django.db import IntegrityError

    from .administration import keys, people, routing, tenants

    match error:
        case routing.SecretNeeded():
            return InvalidRequest(str(error), param="secret", code="secret_needed")
        case tenants.ZoneChangePending() | keys.Revoked() | routing.InUse() | people.LastOwner():
            return InvalidRequest(str(error), code="conflict", status=409)
        case IntegrityError():
            text = "There is one already, or somebody else changed it at the same moment."
            return InvalidRequest(text, code="conflict", status=409)
    return None


def _headers_of(error: Exception) -> dict[str, str]:
    challenge = getattr(error, "auth_header", None)
    return {"www-authenticate": challenge} if challenge else {}


def _first_fault(detail: Any, path: str = "") -> tuple[str, str]:
    """(parameter, text) of the first of a serializer's errors, nested ones as `targets.0.model`."""
    if isinstance(detail, Mapping):
        name, inner = next((pair for pair in detail.items() if pair[1]), ("", ""))
        own = "" if name == "non_field_errors" else str(name)
        return _first_fault(inner, ".".join(filter(None, (path, own))))
    if isinstance(detail, list | tuple):
        at, inner = next((pair for pair in enumerate(detail) if pair[1]), (0, ""))
        nested = isinstance(inner, Mapping | list | tuple)
        return _first_fault(inner, f"{path}.{at}" if nested else path)
    return path, f"{path}: {detail}" if path else str(detail)
