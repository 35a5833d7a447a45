"""What can go wrong between us and a provider.

ProviderError
├── BadRequest            the provider would refuse it, or did: 400, 413, 422; never tried elsewhere
├── Unsupported           this dialect cannot say an option of the request (policy `error`)
└── Retryable             another target may answer
    ├── ConnectFailed     no connection was made, so nothing was sent and nothing is owed
    ├── TimedOut          no answer in time; the provider may have worked, so something may be owed
    ├── ConnectionLost    the connection ended after the request was sent
    ├── StatusError       the provider answered with an error status (401, 403, 404, 408, 429, 5xx)
    ├── UnusableAnswer    a success status with a body that is not an answer
    └── StreamError       an error event inside a stream that began well

`sent` says whether the request may have reached the provider, `status` is the provider's HTTP
status, `message` is its own text and is never echoed before it is scrubbed.
"""

from __future__ import annotations

from typing import ClassVar


class ProviderError(Exception):
    """Any failure of one attempt. Attributes: status, code, sent, retry_after_seconds."""

    retryable: ClassVar[bool] = False
    sent: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.param = param
        self.retry_after_seconds = retry_after_seconds


class BadRequest(ProviderError):
    pass


class Unsupported(BadRequest):
    sent = False


class Retryable(ProviderError):
    retryable = True


class ConnectFailed(Retryable):
    sent = False


class TimedOut(Retryable):
    pass


class ConnectionLost(Retryable):
    pass


class StatusError(Retryable):
    pass


class UnusableAnswer(Retryable):
    pass


class StreamError(Retryable):
    pass
