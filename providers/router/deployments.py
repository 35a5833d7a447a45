"""A deployment: one way to answer for a model group, and what may be expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..types import Json
from .needs import Capability


@dataclass(frozen=True, slots=True)
class Deployment:
    """`model` is the model's name at `provider`; `params` go with every call to it.

    `weight`, `rpm` (requests per minute) and `tpm` (tokens per minute) are shares and limits; None
    means that nothing was said. A lower `order` is tried before a higher one. `lacks` are the
    capabilities that it is known not to have: what is not known is assumed to be there.
    Prices are in 10^-12 dollars per token. `info` is what the operator noted besides.
    """

    id: str
    group: str
    provider: str
    model: str
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    weight: float | None = None
    rpm: int | None = None
    tpm: int | None = None
    order: int = 1
    tags: frozenset[str] = frozenset()
    parallel_max: int | None = None
    lacks: frozenset[Capability] = frozenset()
    context_window: int | None = None
    input_tokens_max: int | None = None
    output_tokens_max: int | None = None
    input_pico_per_token: int | None = None
    output_pico_per_token: int | None = None
    timeout_seconds: float | None = None
    stream_timeout_seconds: float | None = None
    cooldown_seconds: float | None = None
    info: Json = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        return f"{self.provider}/{self.model}"

    def cost_nanos(self, input_tokens: int, output_tokens: int) -> int | None:
        """Nano-dollars for so many tokens, rounded up; None where the prices are not known."""
        if self.input_pico_per_token is None or self.output_pico_per_token is None:
            return None
        pico = self.input_pico_per_token * input_tokens + self.output_pico_per_token * output_tokens
        return -(-pico // 1000)


def by_group(deployments: Sequence[Deployment]) -> dict[str, tuple[Deployment, ...]]:
    """The deployments of every group, in the order in which they were given."""
    groups: dict[str, list[Deployment]] = {}
    for deployment in deployments:
        groups.setdefault(deployment.group, []).append(deployment)
    return {name: tuple(members) for name, members in groups.items()}
