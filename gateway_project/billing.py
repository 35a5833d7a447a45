"""What one attempt costs, by how it ended.

| outcome | charged | basis |
|---|---|---|
| no connection, or an error status | nothing | `none` |
| an answer with usage, also after the caller has hung up | its usage | `provider_usage` |
| an answer without usage, or cut after some output | counted by our tokenizer | `counted` |
| cut, with usage that covers all that was said | its usage | `provider_usage` |
| an error event before any output | nothing | `none` |
| sent, but no answer, or stopped by us | all input; `upper_nanos` has the most | `uncertain` |
"""

from __future__ import annotations

from dataclasses import replace

from budgets.operations import Settle, Tokens
from providers import tokens
from providers.errors import BadRequest, ConnectFailed, StatusError, StreamError
from providers.flow import Bus
from providers.pricing import bound, cost
from providers.types import Usage

from .facts import Attempt, Grant, InputTokens

CONTEXT_TOKENS_MAX = 10_000_000
OUTCOMES = {
    "BadRequest": "refused",
    "Unsupported": "not_sent",
    "ConnectFailed": "connect_failed",
    "TimedOut": "timed_out",
    "ConnectionLost": "connection_lost",
    "StatusError": "error_status",
    "UnusableAnswer": "unusable_answer",
    "StreamError": "stream_error",
}


def bill(attempt: Attempt, bus: Bus) -> Settle:
    """The settlement of an attempt that has ended, for whatever reason; noted in the attempt."""
    price = attempt.candidate.price
    usage, basis = charged(attempt, bus[InputTokens])
    upper = 0
    if basis == "uncertain":
        upper = bound(price, bus[InputTokens].tokens_max).amount(bus[Grant].output_tokens)
    amount = cost(usage, price) if basis != "none" else 0
    attempt.charged, attempt.cost_nanos = usage, amount
    return Settle(attempt.id, _tokens(usage), amount, basis, outcome(attempt), upper)


def outcome(attempt: Attempt) -> str:
    """How it ended, in one word."""
    if attempt.error is None:
        return "ok"
    return OUTCOMES.get(type(attempt.error).__name__, "interrupted")


def charged(attempt: Attempt, given: InputTokens) -> tuple[Usage, str]:
    """(usage that is charged, on which basis)."""
    error = attempt.error
    text = "".join(attempt.text)
    if attempt.usage is not None and _is_possible(attempt, given) and (error is None or text):
        if error is None or attempt.has_finished:
            return attempt.usage, "provider_usage"
        return _cut(attempt.usage, tokens.count_text(text, given.counted().encoding))
    if error is None or text:
        counted = given.counted()
        output = tokens.count_text(text, counted.encoding)
        return Usage(input_tokens=counted.tokens, output_tokens=output), "counted"
    if isinstance(error, ConnectFailed | StatusError | BadRequest | StreamError):
        return Usage(), "none"
    return Usage(input_tokens=given.counted().tokens_max), "uncertain"


def _cut(usage: Usage, said: int) -> tuple[Usage, str]:
    """Of an answer that was cut, the usage so far may be older than the text: Anthropic's first
    event names one token of output. What was said is owed."""
    if usage.output_tokens >= said:
        return usage, "provider_usage"
    return replace(usage, output_tokens=said), "counted"


def _is_possible(attempt: Attempt, given: InputTokens) -> bool:
    """Usage beyond the model's context is not believed; our own count is charged instead.

    The context is a limit for each input, so a batch may have as many of them as inputs.
    """
    assert attempt.usage is not None
    window = attempt.candidate.price.context_window or CONTEXT_TOKENS_MAX
    return attempt.usage.total_tokens <= window * given.inputs


def _tokens(usage: Usage) -> Tokens:
    return Tokens(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
