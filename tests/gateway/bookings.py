"""What the ledger and the chain have of a call, looked at from outside."""

from __future__ import annotations

from typing import Any

from tests.servers import Running, wait_until


def booked(running: Running, call: str) -> list[tuple[Any, ...]]:
    """(basis, input, output, debit) of a call's postings, each of which has a chain entry."""
    query = (
        "SELECT basis, input_tokens, output_tokens, debit_nanos, attempt "
        f"FROM budgets_posting WHERE call = '{call}' ORDER BY call_no, no"
    )
    wait_until(lambda: running.rows(query), 10)
    rows = running.rows(query)
    bodies = [bytes(row[0]) for row in running.rows("SELECT body FROM audit_entry")]
    for row in rows:
        assert any(row[4].encode() in body for body in bodies)
    return [row[:4] for row in rows]
