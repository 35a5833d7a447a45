"""The ledger's SQL: open windows, lock rows, read what `decide` needs, write what it said.

Nothing here opens or ends a transaction. What the books do all day is told as data, a query or a
`Change` with `%s` for each value, so that whoever runs them may send many at once; the rest takes
a DB-API cursor. Both depend on the vendor ("postgresql" or "sqlite").

Lock order: windows by ascending id, then rates by ascending key; holds and postings are read after
that and without a lock, since whoever changes a hold has its windows locked, or, where it has none,
its tenant's audit head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from .operations import (
    Hold,
    Outcome,
    Posted,
    Posting,
    State,
    Tokens,
    Window,
    WindowKey,
)
from .shapes import Change

Query = tuple[str, Sequence[Any]]
Rows = Iterable[Sequence[Any]]

WINDOW = "id, starts_us, ends_us, limit_nanos, held_nanos, spent_nanos, over_nanos"
HOLD = (
    "attempt, call, call_no, tenant_id, key_id, amount_nanos, windows, provider, model, price_id, "
    "owner, day_utc, day_local, opened_us, deadline_us, end_user, tags"
)
POSTING = (
    "attempt, no, call, call_no, tenant_id, key_id, held_nanos, windows, provider, model, "
    "price_id, day_utc, day_local, opened_us, basis, outcome, input_tokens, output_tokens, "
    "cache_read_tokens, cache_write_tokens, reasoning_tokens, debit_nanos, credit_nanos, "
    "upper_nanos, posted_us, seq, end_user, tags"
)


BLOCKS = (32, 8, 2, 1)


TEXTS = frozenset(
    {
        "attempt",
        "call",
        "windows",
        "provider",
        "model",
        "day_utc",
        "day_local",
        "basis",
        "outcome",
        "end_user",
        "tags",
    }
)


class HoldsMoved(Exception):
    """A hold that the caller remembered is gone from the database: read it there, and again."""


class WindowsMissing(Exception):
    """Rows that were read name windows that are not locked: lock these too and start again."""

    def __init__(self, window_ids: set[int]) -> None:
        super().__init__(f"windows {sorted(window_ids)} are not locked")
        self.window_ids = window_ids


def open_windows(cursor: Any, vendor: str, keys: Iterable[WindowKey]) -> dict[WindowKey, int]:
    """Make the rows that are missing, in sorted order and autocommit; returns ids by key.

    The limit is read from the budget, share-locked: the asker's own may be older than a change
    that is being made to all windows of that budget right now.
    """
    tail = " FOR SHARE" if vendor == "postgresql" else ""
    ids: dict[WindowKey, int] = {}
    for key in sorted(keys, key=lambda key: (key.budget_id, key.subject, key.starts_us)):
        where = (key.budget_id, key.subject, key.starts_us)
        cursor.execute(
            "INSERT INTO budgets_window (budget_id, subject, starts_us, ends_us, limit_nanos) "
            f"SELECT id, %s, %s, %s, limit_nanos FROM budgets_budget WHERE id=%s{tail} "
            "ON CONFLICT (budget_id, subject, starts_us) DO NOTHING",
            (key.subject, key.starts_us, key.ends_us, key.budget_id),
        )
        cursor.execute(
            "SELECT id FROM budgets_window WHERE budget_id=%s AND subject=%s AND starts_us=%s",
            where,
        )
        ids[key] = cursor.fetchone()[0]
    return ids


def open_rates(cursor: Any, key_ids: Iterable[int]) -> None:
    """Make the rate rows that are missing, so that there is something to lock."""
    for key_id in sorted(key_ids):
        cursor.execute(
            "INSERT INTO budgets_rate (key_id, tat) VALUES (%s, 0) ON CONFLICT (key_id) DO NOTHING",
            (key_id,),
        )


def locks(
    vendor: str, window_ids: Iterable[int], key_ids: Iterable[int]
) -> tuple[Query | None, Query | None]:
    """What locks windows, then what locks rates, each in ascending order; `locked` reads them."""
    tail = " FOR NO KEY UPDATE" if vendor == "postgresql" else ""
    windows = f"SELECT {WINDOW} FROM budgets_window"
    rates = "SELECT key_id, tat FROM budgets_rate"
    return (
        _select(vendor, windows, "id", sorted(set(window_ids)), tail),
        _select(vendor, rates, "key_id", sorted(set(key_ids)), tail),
    )


def locked(windows: Rows, rates: Rows) -> State:
    """A state with the rows of `locks`."""
    state = State()
    for row in windows:
        state.windows_by_id[row[0]] = Window(*row)
    for key_id, tat in rates:
        state.rates[key_id] = tat
    return state


def attempts(vendor: str, asked: Sequence[str]) -> tuple[Query | None, Query | None]:
    """What reads the open holds of these attempts, then their postings; for `read`."""
    return (
        _select(vendor, f"SELECT {HOLD} FROM budgets_hold", "attempt", asked),
        _select(vendor, f"SELECT {POSTING} FROM budgets_posting", "attempt, no", asked),
    )


def read(state: State, holds: Rows, postings: Rows) -> None:
    """Fill in what the database has of attempts, hold or else postings; raises WindowsMissing."""
    for row in holds:
        state.holds[row[0]] = _hold(row)
    for row in postings:
        posting = _posting(row)
        attempt = posting.hold.attempt
        if attempt not in state.holds:
            before = state.posted.get(attempt)
            net = posting.debit_nanos - posting.credit_nanos + (before.net_nanos if before else 0)
            state.posted[attempt] = Posted(posting, net)
    _require_windows(state)


def _require_windows(state: State) -> None:
    named = {number for hold in state.holds.values() for number in hold.window_ids}
    named |= {number for posted in state.posted.values() for number in posted.last.hold.window_ids}
    missing = named - set(state.windows_by_id)
    if missing:
        raise WindowsMissing(missing)


def windows_of(vendor: str, asked: Sequence[str]) -> Query | None:
    """Windows that open holds of these attempts were taken from, for `numbers`; no lock."""
    return _select(vendor, "SELECT windows FROM budgets_hold", "attempt", asked)


def tenants_of(vendor: str, asked: Sequence[str]) -> tuple[Query | None, Query | None]:
    """Tenants whose chain grows when these attempts are closed or corrected."""
    return (
        _select(vendor, "SELECT tenant_id FROM budgets_hold", "attempt", asked),
        _select(vendor, "SELECT tenant_id FROM budgets_posting", "attempt", asked),
    )


def postings_after(
    cursor: Any, tenant_id: int, seq: int, rows_max: int
) -> list[tuple[int, Posting]]:
    """A tenant's next postings above `seq`, each with its own seq."""
    cursor.execute(
        f"SELECT {POSTING} FROM budgets_posting WHERE tenant_id=%s AND seq>%s "
        "ORDER BY seq LIMIT %s",
        (tenant_id, seq, rows_max),
    )
    return [(row[25], _posting(row)) for row in cursor.fetchall()]


def changes(vendor: str, outcome: Outcome, seqs: Mapping[int, int]) -> Iterator[Change]:
    """What writes the outcome; `seqs` gives each posting (by its place) its seq in the chain."""
    holds = [_hold_row(hold) for hold in outcome.holds_made.values()]
    yield from _inserts(vendor, "budgets_hold", HOLD, holds)
    if outcome.holds_gone:
        among, gone = _among(vendor, "attempt", outcome.holds_gone)
        moved = HoldsMoved("a hold is not what it was when it was last seen")
        delete = f"DELETE FROM budgets_hold WHERE {among}"
        yield Change(delete, gone, len(outcome.holds_gone), moved)
    rows = [_posting_row(posting, seqs[at]) for at, posting in enumerate(outcome.postings)]
    yield from _inserts(vendor, "budgets_posting", POSTING, rows)
    yield from _moved_windows(vendor, list(outcome.windows.values()))
    for key_id, tat in sorted(outcome.rates.items()):
        yield Change("UPDATE budgets_rate SET tat=%s WHERE key_id=%s", (tat, key_id))


def _moved_windows(vendor: str, windows: Sequence[Window]) -> Iterator[Change]:
    rows = [(w.held_nanos, w.spent_nanos, w.over_nanos, w.id) for w in windows]
    if vendor == "postgresql" and rows:
        yield Change(
            "UPDATE budgets_window w SET held_nanos=u.h, spent_nanos=u.s, over_nanos=u.o "
            "FROM UNNEST(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) u(h, s, o, i) "
            "WHERE w.id=u.i",
            [_array(column) for column in zip(*rows, strict=True)],
        )
        return
    update = "UPDATE budgets_window SET held_nanos=%s, spent_nanos=%s, over_nanos=%s WHERE id=%s"
    for row in rows:
        yield Change(update, row)


def _inserts(
    vendor: str, table: str, columns: str, rows: Sequence[tuple[Any, ...]]
) -> Iterator[Change]:
    """Many rows a statement: each statement costs a thread its turn, on both databases.

    PostgreSQL gets them as one value, so that the driver has one to quote and not thousands;
    SQLite in blocks of few sizes, so that the statements are the ones it knows already.
    """
    if vendor == "postgresql":
        if rows:
            names = columns.split(", ")
            objects = [dict(zip(names, row, strict=True)) for row in rows]
            yield Change(_from_json(table, columns), (orjson.dumps(objects).decode(),))
        return
    marks = f"({', '.join(['%s'] * len(rows[0]))})" if rows else ""
    at = 0
    while at < len(rows):
        size = next(n for n in BLOCKS if n <= len(rows) - at)
        values = ", ".join([marks] * size)
        flat = [value for row in rows[at : at + size] for value in row]
        yield Change(f"INSERT INTO {table} ({columns}) VALUES {values}", flat)
        at += size


@cache
def _from_json(table: str, columns: str) -> str:
    typed = [f"{name} {'text' if name in TEXTS else 'bigint'}" for name in columns.split(", ")]
    return (
        f"INSERT INTO {table} ({columns}) SELECT {columns} "
        f"FROM json_to_recordset(%s::json) AS r({', '.join(typed)})"
    )


def _select(
    vendor: str, query: str, column: str, values: Sequence[Any], tail: str = ""
) -> Query | None:
    """Nothing where there is nothing to ask for."""
    if not values:
        return None
    among, listed = _among(vendor, column.split(",")[0], values)
    return f"{query} WHERE {among} ORDER BY {column}{tail}", listed


def _among(vendor: str, column: str, values: Sequence[Any]) -> tuple[str, tuple[Any]]:
    """A condition whose text does not depend on how many values there are."""
    if vendor == "postgresql":
        return f"{column} = ANY(%s)", (_array(values),)
    listed = orjson.dumps(list(values)).decode()
    return f"{column} IN (SELECT value FROM json_each(%s))", (listed,)


def _array(values: Sequence[Any]) -> str:
    """PostgreSQL's text for an array, at a tenth of what the driver takes to find its type."""
    if isinstance(values[0], int):
        return f"{{{','.join(map(str, values))}}}"
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(escaped) + '"}'


def numbers(text: str) -> tuple[int, ...]:
    """Ids of windows as a row has them."""
    return tuple(map(int, text.split(","))) if text else ()


def _text(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _hold(row: Sequence[Any]) -> Hold:
    values: list[Any] = [*row[:6], numbers(row[6]), *row[7:]]
    return Hold(*values)


def _hold_row(hold: Hold) -> tuple[Any, ...]:
    return (
        hold.attempt,
        hold.call,
        hold.call_no,
        hold.tenant_id,
        hold.key_id,
        hold.amount_nanos,
        _text(hold.window_ids),
        hold.provider,
        hold.model,
        hold.price_id,
        hold.owner,
        hold.day_utc,
        hold.day_local,
        hold.opened_us,
        hold.deadline_us,
        hold.user,
        hold.tags,
    )


def _posting(row: Sequence[Any]) -> Posting:
    (attempt, no, call, call_no, tenant_id, key_id, held, windows, provider, model) = row[:10]
    (price_id, day_utc, day_local, opened_us, basis, outcome) = row[10:16]
    (debit, credit, upper, posted_us) = row[21:25]
    hold = Hold(
        attempt=attempt,
        call=call,
        call_no=call_no,
        tenant_id=tenant_id,
        key_id=key_id,
        amount_nanos=held,
        window_ids=numbers(windows),
        provider=provider,
        model=model,
        price_id=price_id,
        owner=0,
        day_utc=day_utc,
        day_local=day_local,
        opened_us=opened_us,
        deadline_us=0,
        user=row[26],
        tags=row[27],
    )
    return Posting(hold, no, basis, outcome, Tokens(*row[16:21]), debit, credit, upper, posted_us)


def _posting_row(posting: Posting, seq: int) -> tuple[Any, ...]:
    hold, tokens = posting.hold, posting.tokens
    return (
        hold.attempt,
        posting.no,
        hold.call,
        hold.call_no,
        hold.tenant_id,
        hold.key_id,
        hold.amount_nanos,
        _text(hold.window_ids),
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
        seq,
        hold.user,
        hold.tags,
    )
