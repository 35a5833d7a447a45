"""Which deployment answers a call, and what to do when it does not. Sans-I/O, clock injected.

| room | what stands there |
|---|---|
| `deployments.py`, `model_list.py`, `fields.py` | deployments, read from LiteLLM's `model_list` |
| `settings.py`, `read_settings.py` | every figure with its default, read from LiteLLM's names |
| `needs.py` | what a request needs, why a deployment cannot give it |
| `failures.py` | what kind of failure an error is, and what follows |
| `breaker.py`, `windows.py`, `latency.py`, `health.py` | what is known of one deployment |
| `lineup.py`, `blocks.py`, `strategies.py`, `selection.py` | one choice: filters, order, strategy |
| `route.py`, `budget.py` | through which groups, with how many retries |
| `call.py`, `steps.py`, `drive.py` | one call as a state machine, and its two drivers |
| `decision.py` | the record that explains it |
| `switchboard.py` | all of it together, shared by the calls of a process |

    deployments = read_model_list(model_list)
    board = Switchboard(deployments, read_settings({"num_retries": 1}, knows(deployments)))
    call = board.call(Ask("gpt-4o", needs_of(request, input_tokens)))
    answer = drive(call, send)
    print(call.decision.table())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .call import Call
from .decision import Decision
from .deployments import Deployment
from .drive import drive, drive_async
from .errors import ConfigError, DeadlinePassed, ModelUnknown, NoDeployment, NoneCapable
from .failures import Kind, kind_of
from .lineup import Ask
from .model_list import read_model_list
from .needs import Capability, Needs, needs_of
from .read_settings import read_settings
from .settings import FallbackRules, HealthRules, RetryRules, Settings
from .steps import Began, Done, Failure, GiveUp, Outcome, Step, Success, Try, Wait
from .strategies import Strategy
from .switchboard import Switchboard, Vitals


def knows(deployments: Sequence[Deployment]) -> Callable[[str], bool]:
    """Whether a name is a group's or a deployment's, as `read_settings` asks it."""
    names = {name for each in deployments for name in (each.group, each.id)}
    return names.__contains__


__all__ = [
    "Ask",
    "Began",
    "Call",
    "Capability",
    "ConfigError",
    "DeadlinePassed",
    "Decision",
    "Deployment",
    "Done",
    "Failure",
    "FallbackRules",
    "GiveUp",
    "HealthRules",
    "Kind",
    "ModelUnknown",
    "Needs",
    "NoDeployment",
    "NoneCapable",
    "Outcome",
    "RetryRules",
    "Settings",
    "Step",
    "Strategy",
    "Success",
    "Switchboard",
    "Try",
    "Vitals",
    "Wait",
    "drive",
    "drive_async",
    "kind_of",
    "knows",
    "needs_of",
    "read_model_list",
    "read_settings",
]
