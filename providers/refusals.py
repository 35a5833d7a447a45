"""Why a provider refused a request: too long for the model, or against its content policy.

One table for all callers: codes first, then texts. For the codes see
platform.openai.com/docs/guides/error-codes and docs.anthropic.com/en/api/errors, 2026-11. Texts
have no documentation: they are those that providers answer with where no code says it, seen until
2026-11.
"""

from __future__ import annotations

import re

CONTEXT_LENGTH_CODE = "context_length_exceeded"
CONTEXT_CODES = frozenset({CONTEXT_LENGTH_CODE, "model_context_window_exceeded"})
CONTENT_CODES = frozenset(
    {"content_policy_violation", "content_filter", "responsibleaipolicyviolation"}
)
QUOTA_CODES = frozenset({"insufficient_quota", "enforced_spend_limit_reached"})
TOO_LONG = re.compile(
    r"maximum context length|prompt is too long|input is too long|too many (input )?tokens"
    r"|context[ _](window|limit|length)|input token count .*exceeds the maximum"
    r"|longer than the model's context",
    re.IGNORECASE,
)
AGAINST_POLICY = re.compile(
    r"content[ _]policy|content management policy|content filter|usage policies|safety system"
    r"|violat\w+ .*polic",
    re.IGNORECASE,
)


def is_too_long(code: str | None, message: str) -> bool:
    """Of a request that was refused (400, 413, 422): whether a longer context would take it."""
    return (code or "").lower() in CONTEXT_CODES or TOO_LONG.search(message) is not None


def is_against_policy(code: str | None, message: str) -> bool:
    """Of a request that was refused: whether for what it says, not for how it says it."""
    return (code or "").lower() in CONTENT_CODES or AGAINST_POLICY.search(message) is not None
