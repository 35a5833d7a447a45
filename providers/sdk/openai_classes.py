"""The classes that our exceptions descend from: openai's own where that package is installed.

Code that catches `openai.RateLimitError` then catches ours too. The package is imported only here,
and this room only where an exception is asked for or raised: it costs a second and 40 MB. Without
it the same names are plain classes of the same shape.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec("openai") is None:

    class OpenAIError(Exception):
        """The root."""

    class APIError(OpenAIError):
        """Any failure of a call."""

    class APIResponseValidationError(APIError):
        """A success status with a body that is not an answer."""

    class APIConnectionError(APIError):
        """No connection, or one that broke."""

    class APITimeoutError(APIConnectionError):
        """No answer in time."""

    class APIStatusError(APIError):
        """An error status."""

    class BadRequestError(APIStatusError):
        """400"""

    class AuthenticationError(APIStatusError):
        """401"""

    class PermissionDeniedError(APIStatusError):
        """403"""

    class NotFoundError(APIStatusError):
        """404"""

    class UnprocessableEntityError(APIStatusError):
        """422"""

    class RateLimitError(APIStatusError):
        """429"""

    class InternalServerError(APIStatusError):
        """500 and above"""

else:
    from openai import (
        APIConnectionError,
        APIError,
        APIResponseValidationError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        InternalServerError,
        NotFoundError,
        OpenAIError,
        PermissionDeniedError,
        RateLimitError,
        UnprocessableEntityError,
    )

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "InternalServerError",
    "NotFoundError",
    "OpenAIError",
    "PermissionDeniedError",
    "RateLimitError",
    "UnprocessableEntityError",
]
