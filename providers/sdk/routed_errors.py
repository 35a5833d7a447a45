"""An exception of ours as an error that the router can judge: what a mock raises on purpose."""

from __future__ import annotations

from .. import errors
from ..errors import ProviderError

CODES = {
    "ContextWindowExceededError": "context_length_exceeded",
    "ContentPolicyViolationError": "content_policy_violation",
}


def as_provider_error(error: Exception) -> ProviderError:
    """Raises the exception itself where it is not one that a provider's failure becomes."""
    from .. import exceptions  # it imports openai where that is installed, which is dear

    if isinstance(error, ProviderError):
        return error
    if not isinstance(error, exceptions.Failure):
        raise error
    name = type(error).__name__
    if name == "Timeout":
        return errors.TimedOut(error.message)
    if name == "APIConnectionError":
        return errors.ConnectionLost(error.message)
    kind = errors.BadRequest if error.status_code in {400, 413, 422} else errors.StatusError
    code = CODES.get(name, error.code)
    return kind(error.message, status=error.status_code, code=code, param=error.param)
