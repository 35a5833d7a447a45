"""A transaction of the books on PostgreSQL, in two round trips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, pq

from ..sessions import Change, Query, Rows, refusal_of
from .pipeline import Failed, Pipeline, Result, of

BEGIN: Query = ("BEGIN", ())
COMMIT: Query = ("COMMIT", ())
UNENDED = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)


class OnPipeline:
    """A session on a PostgreSQL connection.

    BEGIN leaves with what is asked first, and COMMIT with what is told: a change that must touch
    some number of rows is made to fail there where it touches another, and nothing after it runs.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._unsent: list[Query] = [BEGIN]

    def mark(self) -> None:
        return None

    def ask(self, *queries: Query | None) -> list[Rows]:
        results = iter(self._run([query for query in queries if query]))
        return [next(results).rows if query else () for query in queries]

    def tell(self, changes: Iterable[Change]) -> None:
        told = list(changes)
        try:
            self._run([*map(_checked, told), COMMIT])
        except Failed as failed:
            change = told[failed.at] if 0 <= failed.at < len(told) else None
            is_ours = isinstance(failed.error, errors.DivisionByZero)
            if change is None or change.rows is None or not is_ours:
                raise
            raise refusal_of(change) from failed.error

    def _run(self, statements: list[Query]) -> list[Result]:
        first, self._unsent = self._unsent, []
        try:
            return self._pipeline.run(first + statements)[len(first) :]
        except Failed as failed:
            failed.at -= len(first)
            raise


def _checked(change: Change) -> Query:
    """The change, failing by a division by zero if it touches other than the rows it must."""
    if change.rows is None:
        return change.text, change.values
    text = (
        f"WITH told AS ({change.text} RETURNING 1) "
        "SELECT 1 / (count(*) = %s::bigint)::int FROM told"
    )
    return text, (*change.values, change.rows)


@contextmanager
def transaction(connection: psycopg.Connection[Any]) -> Iterator[OnPipeline]:
    """A transaction that ends when its session has told what changes, or else is rolled back."""
    try:
        yield OnPipeline(of(connection))
    except Failed as failed:
        raise failed.error from None
    finally:
        if connection.pgconn.transaction_status in UNENDED:
            connection.rollback()
