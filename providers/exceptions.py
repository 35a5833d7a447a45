"""What the SDK raises, by LiteLLM's names; each is also openai's class where `openai` is installed.

Every one carries `status_code`, `message`, `llm_provider`, `model`, `code`, `param`, `headers` and
`response` (None, or its status and headers). The cause (`__cause__`) is the error of `errors.py`.

https://docs.litellm.ai/docs/exception_mapping, 2026-11:

400  BadRequestError: UnsupportedParamsError, ContextWindowExceededError,
     ContentPolicyViolationError, ImageFetchError; InvalidRequestError is its old name
401  AuthenticationError            403  PermissionDeniedError        404  NotFoundError
408  Timeout                        422  UnprocessableEntityError     429  RateLimitError
500  InternalServerError, APIError, APIConnectionError, APIResponseValidationError
503  ServiceUnavailableError
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .sdk import openai_classes as openai
from .sdk.openai_classes import OpenAIError


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """What the provider answered, as far as it is safe to keep: no body, no address."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Failure(Exception):
    """What all of the exceptions share: LiteLLM's attributes, and openai's where code reads them.

    `message` comes first, everything else by name. openai's own constructors are passed over on
    purpose: they want request and response objects of a client that was not used.
    """

    status_code: int = 500

    def __init__(
        self,
        message: str,
        *,
        model: str | None = None,
        llm_provider: str | None = None,
        response: Any = None,
        headers: Mapping[str, str] | None = None,
        status_code: int | None = None,
        code: str | None = None,
        param: str | None = None,
        litellm_debug_info: str | None = None,
        max_retries: int | None = None,
        num_retries: int | None = None,
    ) -> None:
        Exception.__init__(self, message)
        self.message = message
        self.model = model
        self.llm_provider = llm_provider
        self.response = response
        self.headers = headers if headers is not None else getattr(response, "headers", {})
        self.status_code = type(self).status_code if status_code is None else status_code
        self.code = code
        self.param = param
        self.type: str | None = None
        self.body: object = None
        self.request: object = None
        self.request_id = self.headers.get("x-request-id") or self.headers.get("request-id")
        self.litellm_debug_info = litellm_debug_info
        self.max_retries = max_retries
        self.num_retries = num_retries

    def __str__(self) -> str:
        return self.message


class BadRequestError(Failure, openai.BadRequestError):
    """The provider would refuse the request, or did."""

    status_code = 400


class UnsupportedParamsError(BadRequestError):
    """An option that this provider has no words for, and `drop_params` was not set."""


class ContextWindowExceededError(BadRequestError):
    """The prompt and its answer do not fit into the model's context."""


class ContentPolicyViolationError(BadRequestError):
    """The provider's content policy refuses the prompt."""


class ImageFetchError(BadRequestError):
    """The provider could not fetch an image of the prompt."""


InvalidRequestError = BadRequestError


class AuthenticationError(Failure, openai.AuthenticationError):
    """No key, or one that the provider does not take."""

    status_code = 401


class PermissionDeniedError(Failure, openai.PermissionDeniedError):
    """The key may not do this."""

    status_code = 403


class NotFoundError(Failure, openai.NotFoundError):
    """The provider does not have this model."""

    status_code = 404


class Timeout(Failure, openai.APITimeoutError):
    """No answer within `timeout` seconds; the provider may have worked, and may bill for it."""

    status_code = 408


class UnprocessableEntityError(Failure, openai.UnprocessableEntityError):
    """The request is well-formed and cannot be followed."""

    status_code = 422


class RateLimitError(Failure, openai.RateLimitError):
    """Too many requests or tokens, or no money left there; see `code`."""

    status_code = 429


class InternalServerError(Failure, openai.InternalServerError):
    """The provider failed or is overloaded."""

    status_code = 500


class ServiceUnavailableError(Failure, openai.APIStatusError):
    """The provider is not available."""

    status_code = 503


class MidStreamFallbackError(ServiceUnavailableError):
    """A stream failed after its first chunk, where no other model may take over.

    `generated_content` is what had arrived, `is_pre_first_chunk` is false.
    """

    def __init__(self, message: str, *, generated_content: str = "", **known: Any) -> None:
        super().__init__(message, **known)
        self.generated_content = generated_content
        self.is_pre_first_chunk = False


class APIError(Failure, openai.APIError):
    """Any other failure; `status_code` says which."""


class MockException(APIError):
    """What `mock_response=Exception(...)` asks for, where the exception is none of these."""


class APIConnectionError(Failure, openai.APIConnectionError):
    """No connection to the provider, or one that broke."""


class APIResponseValidationError(Failure, openai.APIResponseValidationError):
    """A success status with a body that is not an answer."""


class JSONSchemaValidationError(APIResponseValidationError):
    """The answer's text does not keep to the schema that was asked for; `raw_response` is it."""

    def __init__(
        self, message: str, *, raw_response: str = "", schema: str = "", **known: Any
    ) -> None:
        super().__init__(message, **known)
        self.raw_response = raw_response
        self.schema = schema


class BudgetExceededError(Exception):
    """A budget is used up. Amounts in dollars."""

    def __init__(self, current_cost: float, max_budget: float, message: str | None = None) -> None:
        self.current_cost = current_cost
        self.max_budget = max_budget
        self.status_code = 429
        self.message = message or (
            f"Budget has been exceeded! Current cost: {current_cost}, Max budget: {max_budget}"
        )
        super().__init__(current_cost, max_budget, self.message)

    def __str__(self) -> str:
        return self.message


__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "ContentPolicyViolationError",
    "ContextWindowExceededError",
    "ImageFetchError",
    "InternalServerError",
    "InvalidRequestError",
    "JSONSchemaValidationError",
    "MidStreamFallbackError",
    "MockException",
    "NotFoundError",
    "OpenAIError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServiceUnavailableError",
    "Timeout",
    "UnprocessableEntityError",
    "UnsupportedParamsError",
]
