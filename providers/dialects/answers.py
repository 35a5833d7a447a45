"""What every dialect reads the same way: error answers, numbers of tokens, retry times."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from ..errors import BadRequest, ProviderError, StatusError, UnusableAnswer

MESSAGE_MAX = 500
RETRY_SECONDS_MAX = 60.0
TOKENS_MAX = 10**9
SERVICE_TIER_MAX = 40


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """An error status with whatever body came with it; a redirect is an unusable answer."""
    if status < 400:
        return UnusableAnswer(f"the provider answered with status {status}", status=status)
    message, code, param = read_error_body(body)
    kind = BadRequest if status in {400, 413, 422} else StatusError
    return kind(
        message or f"status {status}",
        status=status,
        code=code,
        param=param,
        retry_after_seconds=retry_after(headers),
    )


def read_error_body(body: bytes) -> tuple[str, str | None, str | None]:
    """(message, code, param) of an error document, else the text itself.

    OpenAI, Anthropic and most others have an `error`, an object or a text; Cohere, Mistral and
    vLLM put `message` at the top, FastAPI's servers `detail`, which may be a list of complaints.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body[:MESSAGE_MAX].decode("utf-8", "replace").strip()
        return ("" if text.startswith("<") else text), None, None
    if not isinstance(document, dict):
        return "", None, None
    return read_error_object(document.get("error") or document)


def read_error_object(error: Any) -> tuple[str, str | None, str | None]:
    if isinstance(error, str):
        return error[:MESSAGE_MAX], None, None
    if not isinstance(error, Mapping):
        return "", None, None
    code = error.get("code") or error.get("type")
    param = error.get("param")
    message = error.get("message") or error.get("detail") or ""
    if not isinstance(message, str):
        message = orjson.dumps(message).decode()
    return (
        message[:MESSAGE_MAX],
        str(code)[:100] if code else None,
        str(param)[:100] if param else None,
    )


def embedded_error(error: Any) -> ProviderError:
    """An error inside a success status; a provider that names 400 there means the request."""
    message, code, param = read_error_object(error)
    status = error.get("status") if isinstance(error, Mapping) else None
    kind = BadRequest if status in {400, 413, 422} else UnusableAnswer
    return kind(message or "an error with a success status", status=status, code=code, param=param)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, 0 to 60; milliseconds count before seconds, a past date is no wait."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(RETRY_SECONDS_MAX, max(0.0, milliseconds / 1000))
    text = headers.get("retry-after")
    if text is None:
        return None
    seconds = _number(text)
    if seconds is None:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(RETRY_SECONDS_MAX, max(0.0, seconds))


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and number == number else None


def token_count(value: Any) -> int | None:
    """A plausible number of tokens, 0 for null; None for anything absurd."""
    if type(value) is int and 0 <= value <= TOKENS_MAX:  # a bool is no number
        return value
    return 0 if value is None else None


def token_counts(*values: Any) -> list[int] | None:
    """All of them, or None as soon as one is absurd: half-believed usage is worse than none."""
    counts = []
    for value in values:
        count = token_count(value)
        if count is None:
            return None
        counts.append(count)
    return counts


def service_tier(value: Any) -> str:
    """The provider's word for the way it answered; empty where it says none."""
    return value[:SERVICE_TIER_MAX] if isinstance(value, str) else ""
