"""What the audit chain says about money: one entry per posting, with the digest of its row."""

from __future__ import annotations

import hashlib

import orjson

from audit.chain import Draft
from budgets.operations import Posting


def of_posting(posting: Posting) -> Draft:
    """The chain's entry for one attempt: who paid, what answered, tokens, and what it cost."""
    hold, tokens = posting.hold, posting.tokens
    return Draft(
        tenant=hold.tenant_id,
        actor=f"tenant:{hold.tenant_id}",
        action="llm.call" if posting.no == 0 else "llm.correction",
        object=f"{hold.provider}/{hold.model}",
        result=posting.outcome,
        details={
            "attempt": hold.attempt,
            "basis": posting.basis,
            "call": hold.call,
            "call_no": hold.call_no,
            "credit_nanos": str(posting.credit_nanos),
            "debit_nanos": str(posting.debit_nanos),
            "input_tokens": tokens.input,
            "key": hold.key_id,
            "ledger_digest": digest(posting),
            "model": hold.model,
            "output_tokens": tokens.output,
            "provider": hold.provider,
            "total_tokens": tokens.input + tokens.output,
        },
    )


def digest(posting: Posting) -> str:
    """SHA-256 over the posting's own columns, in hex; `audit verify` holds it against the row."""
    hold, tokens = posting.hold, posting.tokens
    columns = [
        hold.attempt,
        posting.no,
        hold.call,
        hold.call_no,
        hold.tenant_id,
        hold.key_id,
        hold.amount_nanos,
        list(hold.window_ids),
        hold.provider,
        hold.model,
        hold.price_id,
        hold.day_utc,
        hold.day_local,
        hold.opened_us,
        posting.basis,
        posting.outcome,
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_write,
        tokens.reasoning,
        posting.debit_nanos,
        posting.credit_nanos,
        posting.upper_nanos,
        posting.posted_us,
    ]
    if hold.user or hold.tags:  # columns that came later: what was written before stays true
        columns += [hold.user, hold.tags]
    return hashlib.sha256(orjson.dumps(columns)).hexdigest()
