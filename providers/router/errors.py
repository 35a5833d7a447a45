"""What the router itself refuses, in the tree of `providers/errors.py`.

ValueError
└── ConfigError           a model list or a setting is wrong: which entry, which name
BadRequest
├── ModelUnknown          404: no group, alias or deployment has this name
└── NoneCapable           400: no deployment of the group can do what the request asks
Retryable
├── NoDeployment          429 or 503: all that could are resting or full; says when to come back
└── DeadlinePassed        504: the call's time is over, and no attempt failed in it
"""

from __future__ import annotations

from ..errors import BadRequest, Retryable


class ConfigError(ValueError):
    """Told when the router is made, never in the middle of a call."""


class ModelUnknown(BadRequest):
    sent = False

    def __init__(self, model: str) -> None:
        super().__init__(
            f"No model group, alias or deployment is called {model!r}.",
            status=404,
            code="model_not_found",
            param="model",
        )


class NoneCapable(BadRequest):
    """`code` is `context_length_exceeded` where length alone was the reason."""

    sent = False


class NoDeployment(Retryable):
    """`status` is 429 where a rate or a limit was the reason, else 503."""

    sent = False


class DeadlinePassed(Retryable):
    sent = False
