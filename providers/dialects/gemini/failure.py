"""Google's error documents: `{error: {code, message, status, details[]}}`, or a list of them.

https://ai.google.dev/gemini-api/docs/troubleshooting, 2026-11. A 429 says in `RetryInfo` when to
try again. A wrong key is answered with 400, which elsewhere means that the request is wrong: it is
read as the 401 that it is, so that another target may answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...errors import BadRequest, ProviderError, StatusError, StreamError, UnusableAnswer
from .. import answers

WRONG_KEY = "API_KEY_INVALID"
REFUSED = frozenset({400, 413, 422})


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """An error status with whatever body came with it; a redirect is an unusable answer."""
    error = _document(body)
    if status < 400 or error is None:
        return answers.read_error(status, headers, body)
    if _reason(error) == WRONG_KEY:
        status = 401
    message, code = _words(error)
    after = answers.retry_after(headers)
    return (BadRequest if status in REFUSED else StatusError)(
        message or f"status {status}",
        status=status,
        code=code,
        retry_after_seconds=_retry_after(error) if after is None else after,
    )


def error_in(document: Any) -> Mapping[str, Any] | None:
    """The error that a document, or the first of a list of documents, is about."""
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error") if isinstance(document, Mapping) else None
    if not error:
        return None
    return error if isinstance(error, Mapping) else {"message": str(error)}


def embedded_error(error: Mapping[str, Any]) -> ProviderError:
    """An error inside a success status; a code of 400 there means the request."""
    message, code = _words(error)
    status = error.get("code")
    known = status if isinstance(status, int) else None
    kind = BadRequest if known in REFUSED else UnusableAnswer
    return kind(message or "an error with a success status", status=known, code=code)


def stream_error(error: Mapping[str, Any]) -> StreamError:
    """An error inside a stream that began well."""
    message, code = _words(error)
    return StreamError(
        message or "the provider reported an error",
        code=code,
        retry_after_seconds=_retry_after(error),
    )


def _document(body: bytes) -> Mapping[str, Any] | None:
    try:
        return error_in(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None


def _words(error: Mapping[str, Any]) -> tuple[str, str | None]:
    status = error.get("status")
    message = str(error.get("message") or "")[: answers.MESSAGE_MAX]
    return message, status[:100] if isinstance(status, str) and status else None


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = error.get("details")
    entries = details if isinstance(details, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _reason(error: Mapping[str, Any]) -> str | None:
    reasons = (entry["reason"] for entry in _details(error) if entry.get("reason"))
    return next((reason for reason in reasons if isinstance(reason, str)), None)


def _retry_after(error: Mapping[str, Any]) -> float | None:
    """Seconds of `RetryInfo.retryDelay`, a duration like `34.5s`; 0 to 60."""
    for entry in _details(error):
        delay = entry.get("retryDelay")
        if isinstance(delay, str) and delay.endswith("s"):
            return answers.retry_after({"retry-after": delay[:-1]})
    return None
