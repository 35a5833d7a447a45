"""What is asked of the ledger, what it answers, and the rows in between. Pure shapes, no logic.

Money is nano-dollars, times are microseconds since the epoch, ids of attempts and calls are UUIDv7.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import limits
from .shapes import shape


@shape
class Tokens:
    """Token counts of one attempt, as they are posted."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@shape
class WindowKey:
    """A window by what makes it unique, with what a new row of it needs."""

    budget_id: int
    subject: str
    starts_us: int
    ends_us: int = field(compare=False)
    scope: str = field(compare=False)


@dataclass(slots=True)
class Window:
    """A row of the ledger; `decide` moves money in it, so each transaction reads its own."""

    id: int
    starts_us: int
    ends_us: int
    limit_nanos: int
    held_nanos: int
    spent_nanos: int
    over_nanos: int

    @property
    def free_nanos(self) -> int:
        return self.limit_nanos - self.spent_nanos - self.held_nanos


@shape
class Hold:
    attempt: str
    call: str
    call_no: int
    tenant_id: int
    key_id: int
    amount_nanos: int
    window_ids: tuple[int, ...]
    provider: str
    model: str
    price_id: int
    owner: int
    day_utc: str
    day_local: str
    opened_us: int
    deadline_us: int
    user: str = ""
    tags: str = ""


@shape
class Posting:
    """`no` counts the postings of one attempt: 0 is the bill, higher ones correct it."""

    hold: Hold
    no: int
    basis: str
    outcome: str
    tokens: Tokens
    debit_nanos: int
    credit_nanos: int
    upper_nanos: int
    posted_us: int


@shape
class Posted:
    """What the database has of an attempt whose hold is gone: its last posting and the sum."""

    last: Posting
    net_nanos: int


@shape
class Reserve:
    """Hold money for one attempt.

    The amount is `base_nanos` plus output tokens times `output_pico_per_token` (pico-dollars).
    `output_tokens` is what the caller asked for, times the number of answers; None lets the
    ledger choose the most, up to `output_tokens_max`, that every window affords.
    """

    attempt: str
    call: str
    call_no: int
    tenant_id: int
    key_id: int
    zone: str
    windows: tuple[WindowKey, ...]
    rate: limits.RateLimit | None
    base_nanos: int
    output_pico_per_token: int
    output_tokens: int | None
    output_tokens_max: int
    answers: int
    provider: str
    model: str
    price_id: int
    owner: int
    seconds_max: int
    directory_version: int
    user: str = ""
    tags: str = ""

    def amount(self, output_tokens: int) -> int:
        """Nano-dollars for this many output tokens, rounded up."""
        return self.base_nanos + -(-output_tokens * self.output_pico_per_token // 1000)


@shape
class Settle:
    """Book what an attempt cost; `upper_nanos` is what it may cost at most where that is unsure."""

    attempt: str
    tokens: Tokens
    cost_nanos: int
    basis: str
    outcome: str
    upper_nanos: int = 0


@shape
class Expire:
    """Book the whole hold of an attempt whose owner is gone or whose deadline has passed."""

    attempt: str


Operation = Reserve | Settle | Expire


@shape
class Granted:
    attempt: str
    amount_nanos: int
    output_tokens: int
    now_us: int
    rate: limits.RateAnswer | None = None
    free_nanos: int | None = field(default=None, compare=False)
    """What the tightest window still affords; None where no window limits the call."""


@shape
class RateRefused:
    limit: limits.RateLimit
    retry_after_us: int


@shape
class BudgetRefused:
    """The window that refused, of several the one that opens last."""

    scope: str
    subject: str
    needed_nanos: int
    spent_nanos: int
    held_nanos: int
    limit_nanos: int
    resets_us: int
    now_us: int


@shape
class WindowPassed:
    """A window ended between the asking and the deciding: ask again with the next one."""

    now_us: int


@shape
class Stale:
    """Tenants, keys or limits changed since the caller looked: look again, then ask again."""

    version: int


@shape
class Settled:
    posting: Posting


@shape
class AlreadySettled:
    attempt: str


@shape
class UnknownAttempt:
    attempt: str


Answer = (
    Granted
    | RateRefused
    | BudgetRefused
    | WindowPassed
    | Stale
    | Settled
    | AlreadySettled
    | UnknownAttempt
)


@dataclass(slots=True)
class State:
    """Locked rows as they are; `decide` moves them to what they shall be."""

    windows: dict[WindowKey, Window] = field(default_factory=dict)
    windows_by_id: dict[int, Window] = field(default_factory=dict)
    rates: dict[int, int] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    posted: dict[str, Posted] = field(default_factory=dict)
    directory_version: int = 0


@dataclass(slots=True)
class Outcome:
    """Answers in the order of the operations, and the rows to write."""

    answers: list[Answer] = field(default_factory=list)
    holds_made: dict[str, Hold] = field(default_factory=dict)
    holds_gone: list[str] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    windows: dict[int, Window] = field(default_factory=dict)
    rates: dict[int, int] = field(default_factory=dict)
