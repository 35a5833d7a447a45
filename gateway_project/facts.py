"""What may ride the Bus: one type per fact, each written by one step of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from budgets.limits import RateLimit
from budgets.operations import WindowKey
from budgets.periods import Period
from providers import embeddings, tokens
from providers.embeddings import EmbeddingRequest
from providers.pricing import Price
from providers.routing import Target
from providers.shapes import shape
from providers.tokens import InputCount
from providers.types import ChatRequest, ChatResponse, Usage

Request: TypeAlias = ChatRequest | EmbeddingRequest
"""What a call asks: every step but the dispatch is the same for both."""


@shape
class Bearer:
    """The caller's key as it came, or empty, and what is stored in its place."""

    token: str = field(repr=False)
    digest: bytes = field(repr=False)


@shape
class Labels:
    """Who the call is made for, and `name=value` tags in the order of their names."""

    user: str = ""
    tags: str = ""


@shape
class Limit:
    """A budget that a call counts against."""

    budget_id: int
    scope: str
    subject: str
    period: Period


@shape
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


class InputTokens:
    """How many tokens a request is: at most `bound`, and by `counted()`, once somebody must know.

    To count costs a hundred times the bound, and most calls are far from every limit. A model's
    context is a limit for each of the `inputs`; a chat is one.
    """

    __slots__ = ("_counted", "_request", "bound", "inputs")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._counted: InputCount | None = None
        if isinstance(request, EmbeddingRequest):
            self.bound, self.inputs = embeddings.bound_input(request), len(request.inputs)
        else:
            tools = request.options.get("tools") or ()
            self.bound = tokens.bound_messages(request.messages, tools, request.model)
            self.inputs = 1

    @property
    def is_counted(self) -> bool:
        return self._counted is not None

    @property
    def tokens_max(self) -> int:
        """The least bound that is known."""
        return self.bound if self._counted is None else self._counted.tokens_max

    @property
    def param(self) -> str:
        """The caller's word for them."""
        return "input" if isinstance(self._request, EmbeddingRequest) else "messages"

    def counted(self) -> InputCount:
        if self._counted is None:
            self._counted = self._count()
        return self._counted

    def _count(self) -> InputCount:
        request = self._request
        if isinstance(request, EmbeddingRequest):
            return embeddings.count_input(request)
        tools = request.options.get("tools") or ()
        return tokens.count_messages(request.messages, tools, request.model)


@shape
class Candidate:
    """A target with the price that its attempts are charged at."""

    target: Target
    price: Price


@shape
class Plan:
    """The targets of this call in the order to try them; never empty.

    `tokens_max` is what each of them takes in one call, input and output together.
    """

    route: str
    candidates: tuple[Candidate, ...]
    output_tokens_default: int
    tokens_max: int


@shape
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
    has_finished: bool = False
    """Has the provider said why its answer ends? Only then is its usage the whole usage."""
    is_open: bool = True
    error: BaseException | None = None
    charged: Usage | None = None
    cost_nanos: int = 0
    dropped: tuple[str, ...] = ()


@dataclass(slots=True)
class Meter:
    """The attempts of this call, the last one being the one that answered."""

    attempts: list[Attempt] = field(default_factory=list)
    response: ChatResponse | None = None
    has_taken_rate: bool = False
    """Has the ledger counted this call against its key's rate? It does so once."""

    @property
    def current(self) -> Attempt:
        return self.attempts[-1]

    @property
    def cost_nanos(self) -> int:
        return sum(attempt.cost_nanos for attempt in self.attempts)
