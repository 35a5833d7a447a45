"""A router in a simulated world: a clock that is turned by hand, providers that follow a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Any

from providers.errors import ProviderError
from providers.router import (
    Ask,
    Call,
    Decision,
    Deployment,
    Settings,
    Success,
    Switchboard,
    Try,
    drive,
    knows,
    read_model_list,
    read_settings,
)

Script = Callable[[Try], Success | ProviderError]


def entry(group: str, id: str, **params: Any) -> dict[str, Any]:
    info = {"id": id, **params.pop("info", {})}
    return {
        "model_name": group,
        "litellm_params": {"model": "openai/gpt-4o", **params},
        "model_info": info,
    }


def deployments(*ids: str, group: str = "chat", **params: Any) -> tuple[Deployment, ...]:
    return read_model_list([entry(group, id, **params) for id in ids])


class World:
    """`answers` maps a deployment's id to what it does; what is not there answers in a second."""

    def __init__(
        self,
        of: Iterable[Deployment],
        settings: Settings | None = None,
        seed: int = 7,
        **names: Any,
    ) -> None:
        given = tuple(of)
        self.now = 1000.0
        self.sent: list[Try] = []
        self.slept: list[float] = []
        self.answers: dict[str, Script] = {}
        self.board = Switchboard(
            given,
            settings or read_settings(names, knows(given)),
            clock=lambda: self.now,
            random=Random(seed),
        )

    def call(self, model: str = "chat", **wishes: Any) -> Call:
        return self.board.call(replace(Ask(model), **wishes))

    def run(self, model: str = "chat", **wishes: Any) -> Decision:
        """One call to its end; the error it gave up with is swallowed (see `ending`)."""
        call = self.call(model, **wishes)
        try:
            drive(call, self.send, self.sleep)
        except ProviderError as error:
            assert call.decision.ending.startswith("gave up"), error
        return call.decision

    def send(self, step: Try) -> tuple[str, Success]:
        self.sent.append(step)
        script = self.answers.get(step.deployment.id, fine)
        self.now += 1.0
        outcome = script(step)
        if isinstance(outcome, ProviderError):
            raise outcome
        return step.deployment.id, outcome

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def chosen(self) -> list[str]:
        return [step.deployment.id for step in self.sent]


def fine(step: Try) -> Success:
    return Success(10, 5, 100)


def failing(error: ProviderError) -> Script:
    return lambda step: error


def states(board: Switchboard) -> dict[str, str]:
    return {vitals.deployment.id: vitals.state for vitals in board.vitals()}
