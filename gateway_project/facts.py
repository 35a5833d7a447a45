"""What may ride the Bus: one type per fact, each written by one step of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field

from budgets.limits import RateLimit
from budgets.operations import WindowKey
from budgets.periods import Period
from providers.pricing import Price
from providers.routing import Target
from providers.types import ChatResponse, Usage


@dataclass(frozen=True, slots=True)
class Bearer:
    """The caller's key as it came, or empty, and what is stored in its place."""

    token: str = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Labels:
    """Who the call is made for, and `name=value` tags in the order of their names."""

    user: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget that a call counts against."""

    budget_id: int
    scope: str
    subject: str
    period: Period


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, as known when `directory_version` was current."""

    tenant_id: int
    tenant: str
    zone: str
    zone_before: str
    zone_changed_us: int
    key_id: int
    key_prefix: str
    allowed_models: tuple[str, ...]
    rate: RateLimit | None
    limits: tuple[Limit, ...]
    directory_version: int


@dataclass(frozen=True, slots=True)
class InputTokens:
    """`tokens` is the count, `tokens_max` the bound that money is held by."""

    tokens: int
    tokens_max: int
    encoding: str
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target with the price that its attempts are charged at."""

    target: Target
    price: Price


@dataclass(frozen=True, slots=True)
class Plan:
    """The targets of this call in the order to try them; never empty."""

    route: str
    candidates: tuple[Candidate, ...]
    output_tokens_default: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What the ledger allowed: output tokens for all answers together, and each answer's cap."""

    call: str
    output_tokens: int
    cap: int
    was_injected: bool
    windows: tuple[WindowKey, ...]


@dataclass(slots=True)
class Attempt:
    """One try at one target; usage, text and what it had no words for are filled on the way."""

    id: str
    no: int
    candidate: Candidate
    usage: Usage | None = None
    text: list[str] = field(default_factory=list)
    is_open: bool = True
    error: BaseException | None = None
    cost_nanos: int = 0
    dropped: tuple[str, ...] = ()


@dataclass(slots=True)
class Meter:
    """The attempts of this call, the last one being the one that answered."""

    attempts: list[Attempt] = field(default_factory=list)
    response: ChatResponse | None = None

    @property
    def current(self) -> Attempt:
        return self.attempts[-1]

    @property
    def cost_nanos(self) -> int:
        return sum(attempt.cost_nanos for attempt in self.attempts)
