"""One pure table: an error of `errors.py` to the name of an exception of `exceptions.py`.

Names, not classes, so that deciding whether to retry or to fall back imports no exceptions.
Where the class alone does not say it, the provider's code decides, then its message, then its
status. Codes: platform.openai.com/docs/guides/error-codes and docs.anthropic.com/en/api/errors,
2026-11. What says "too long" and "against policy" stands in `refusals.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import errors
from ..errors import ProviderError
from ..refusals import (
    CONTENT_CODES,
    CONTEXT_CODES,
    QUOTA_CODES,
    is_against_policy,
    is_too_long,
)

CODES: Mapping[str, str] = {
    **dict.fromkeys(CONTEXT_CODES, "ContextWindowExceededError"),
    **dict.fromkeys(CONTENT_CODES, "ContentPolicyViolationError"),
    "invalid_image_url": "ImageFetchError",
    "model_not_found": "NotFoundError",
    "not_found_error": "NotFoundError",
    "invalid_api_key": "AuthenticationError",
    "authentication_error": "AuthenticationError",
    "permission_error": "PermissionDeniedError",
    "rate_limit_error": "RateLimitError",
    "rate_limit_exceeded": "RateLimitError",
    "insufficient_quota": "RateLimitError",
    "timeout_error": "Timeout",
    "overloaded_error": "InternalServerError",
    "api_error": "InternalServerError",
    "server_error": "InternalServerError",
    "invalid_request_error": "BadRequestError",
}
STATUSES: Mapping[int, str] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "Timeout",
    413: "BadRequestError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    503: "ServiceUnavailableError",
    504: "Timeout",
}
CLASSES: tuple[tuple[type[ProviderError], str], ...] = (
    (errors.Unsupported, "UnsupportedParamsError"),
    (errors.TimedOut, "Timeout"),
    (errors.ConnectFailed, "APIConnectionError"),
    (errors.ConnectionLost, "APIConnectionError"),
    (errors.UnusableAnswer, "APIResponseValidationError"),
)
REQUEST_STATUSES = frozenset({400, 413, 422})
# https://github.com/openai/openai-python, `_base_client.py`, 2026-11: what its clients try again
RETRIED_STATUSES = frozenset({408, 409, 429})
ELSEWHERE = frozenset(
    {
        "UnsupportedParamsError",
        "ContextWindowExceededError",
        "ContentPolicyViolationError",
        "ImageFetchError",
    }
)


def name_of(error: ProviderError) -> str:
    """The exception's name; every error has one."""
    for kind, name in CLASSES:
        if isinstance(error, kind) and not (error.status or 0) >= 400:
            return name
    status = error.status
    if status is None or status in REQUEST_STATUSES:
        special = _special(error)
        if special is not None:
            return special
    if status is not None and status >= 400:
        return STATUSES.get(status) or ("InternalServerError" if status >= 500 else "APIError")
    default = "BadRequestError" if isinstance(error, errors.BadRequest) else "APIError"
    return CODES.get((error.code or "").lower(), default)


def _special(error: ProviderError) -> str | None:
    """What a refused request was refused for, where code or message say more than the status."""
    name = CODES.get((error.code or "").lower())
    if name in ELSEWHERE:
        return name
    if is_too_long(error.code, error.message):
        return "ContextWindowExceededError"
    if is_against_policy(error.code, error.message):
        return "ContentPolicyViolationError"
    return None


def status_of(error: ProviderError) -> int | None:
    """The provider's own status where it is one of an error; None leaves the exception's own."""
    return error.status if error.status is not None and error.status >= 400 else None


def is_worth_a_retry(error: ProviderError, should_retry: str | None = None) -> bool:
    """Whether the same target may answer a second time; `should_retry` is its own word on it."""
    if not error.retryable or error.code in QUOTA_CODES:
        return False
    if should_retry in {"true", "false"}:
        return should_retry == "true"
    status = error.status
    return status is None or status < 400 or status in RETRIED_STATUSES or status >= 500


def is_worth_another_target(error: ProviderError) -> bool:
    """Whether another model may answer: not where the request itself is wrong."""
    return error.retryable or name_of(error) in ELSEWHERE or name_of(error) == "NotFoundError"
