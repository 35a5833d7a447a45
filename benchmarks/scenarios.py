"""The work that every gateway is given: one table."""

from __future__ import annotations

from dataclasses import dataclass

from .prompts import Size
from .wire import Dialect

DOORS: dict[Dialect, str] = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
BURST, PACED = "mock", "mock-d20-t60"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`door` is the wire that the caller speaks, `upstream` the one that the provider speaks."""

    name: str
    callers: int
    size: Size = "1k"
    behaviour: str = BURST
    is_stream: bool = False
    door: Dialect = "openai"
    upstream: Dialect = "openai"

    @property
    def kind(self) -> str:
        return f"{self.name} c{self.callers}"


SCENARIOS = (
    Scenario("json-1k", 1),
    Scenario("json-1k", 64),
    Scenario("json-10k", 1, size="10k"),
    Scenario("json-10k", 64, size="10k"),
    Scenario("json-400k", 1, size="400k"),
    Scenario("json-400k", 64, size="400k"),
    Scenario("stream-burst", 1, is_stream=True),
    Scenario("stream-burst", 64, is_stream=True),
    Scenario("stream-paced", 64, behaviour=PACED, is_stream=True),
    Scenario("anthropic-json-1k", 64, upstream="anthropic"),
    Scenario("anthropic-stream-burst", 64, is_stream=True, upstream="anthropic"),
    Scenario("anthropic-stream-paced", 64, behaviour=PACED, is_stream=True, upstream="anthropic"),
    Scenario("messages-json-1k", 64, door="anthropic", upstream="anthropic"),
    Scenario("messages-stream-burst", 64, is_stream=True, door="anthropic", upstream="anthropic"),
    Scenario(
        "messages-stream-paced",
        64,
        behaviour=PACED,
        is_stream=True,
        door="anthropic",
        upstream="anthropic",
    ),
)
