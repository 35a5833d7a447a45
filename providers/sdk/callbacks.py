"""Who is told of a call: `input_callback`, `success_callback`, `failure_callback`, `callbacks`.

The lists are the door's variables (`providers.success_callback = [track]`). An entry is a function
`(kwargs, answer, start_time, end_time)` or an object with the methods of `CustomLogger`; an entry
of `input_callback` is a function of `kwargs`. A call from a loop asks the async twin of a method
where there is one. What a callback raises is logged, and the call goes on.

`kwargs` holds no key: model, messages, optional_params, litellm_params, stream, user, call_type,
litellm_call_id, start_time, end_time, response_cost (dollars or None), cost_nanos,
standard_logging_object, and for a failure `exception`.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import door

log = logging.getLogger("providers")
FOR_OBJECTS = ("log_pre_api_call", "log_success_event", "log_failure_event")


class CustomLogger:
    """LiteLLM's class to inherit from; each method may be left as it is."""

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        """Before the provider is called."""

    def log_post_api_call(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """After the provider answered, before success or failure is told."""

    def log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """After a whole answer, or a stream's end, of a call without a loop."""

    def log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """After a failure of a call without a loop."""

    async def async_log_pre_api_call(
        self, model: str, messages: Any, kwargs: dict[str, Any]
    ) -> None:
        """Before the provider is called from a loop."""

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """After a whole answer, or a stream's end, of a call from a loop."""

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """After a failure of a call from a loop."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One callback with its arguments."""

    callback: Any
    arguments: tuple[Any, ...]
    name: str


def anyone() -> bool:
    """Whether there is anybody to tell; if not, nothing is made up for them."""
    return any(
        door.setting(name, None)
        for name in ("input_callback", "success_callback", "failure_callback", "callbacks")
    )


def before(model: str, messages: Any, kwargs: dict[str, Any], from_loop: bool) -> Iterator[Telling]:
    for entry in door.setting("input_callback", ()):
        if callable(entry):
            yield Telling(entry, (kwargs,), _name(entry))
    for entry in door.setting("callbacks", ()):
        if not callable(entry):
            yield from _method(entry, "log_pre_api_call", (model, messages, kwargs), from_loop)


def succeeded(
    kwargs: dict[str, Any], answer: Any, times: tuple[datetime, datetime], from_loop: bool
) -> Iterator[Telling]:
    yield from _after("log_success_event", "success_callback", (kwargs, answer, *times), from_loop)


def failed(
    kwargs: dict[str, Any], error: Exception, times: tuple[datetime, datetime], from_loop: bool
) -> Iterator[Telling]:
    yield from _after("log_failure_event", "failure_callback", (kwargs, error, *times), from_loop)


def _after(
    method: str, setting: str, arguments: tuple[Any, ...], from_loop: bool
) -> Iterator[Telling]:
    for entry in [*door.setting("callbacks", ()), *door.setting(setting, ())]:
        if isinstance(entry, str):
            log.warning("the callback %r is a name, and no integration has it", entry)
        elif callable(entry):
            yield Telling(entry, arguments, _name(entry))
        else:
            yield from _method(entry, "log_post_api_call", arguments, False)
            yield from _method(entry, method, arguments, from_loop)


def _method(
    entry: Any, name: str, arguments: tuple[Any, ...], from_loop: bool
) -> Iterator[Telling]:
    twin = getattr(entry, f"async_{name}", None) if from_loop else None
    method = twin or getattr(entry, name, None)
    if method is not None:
        yield Telling(method, arguments, _name(method))


def tell(tellings: Iterator[Telling]) -> None:
    """Call each; one that would have to be awaited is named in the log instead."""
    for each in tellings:
        try:
            if inspect.iscoroutinefunction(each.callback):
                log.warning("%s is async and was not called by a call without a loop", each.name)
                continue
            each.callback(*each.arguments)
        except Exception:
            log.exception("the callback %s failed", each.name)


async def tell_from_loop(tellings: Iterator[Telling]) -> None:
    """Call each, and await what is to be awaited."""
    for each in tellings:
        try:
            came = each.callback(*each.arguments)
            if inspect.isawaitable(came):
                await came
        except Exception:
            log.exception("the callback %s failed", each.name)


def _name(callback: Any) -> str:
    return str(getattr(callback, "__qualname__", type(callback).__name__))


def standard_logging_object(kwargs: Mapping[str, Any], answer: Any, status: str) -> dict[str, Any]:
    """LiteLLM's StandardLoggingPayload, as far as it is about a call without a proxy."""
    usage = getattr(answer, "usage", None)
    return {
        "id": getattr(answer, "id", None) or kwargs["litellm_call_id"],
        "call_type": kwargs["call_type"],
        "status": status,
        "stream": kwargs["stream"],
        "model": kwargs["model"],
        "custom_llm_provider": kwargs["litellm_params"]["custom_llm_provider"],
        "api_base": kwargs["litellm_params"]["api_base"],
        "response_cost": kwargs["response_cost"],
        "cost_nanos": kwargs["cost_nanos"],
        "prompt_tokens": getattr(usage, "prompt_tokens", 0),
        "completion_tokens": getattr(usage, "completion_tokens", 0),
        "total_tokens": getattr(usage, "total_tokens", 0),
        "startTime": kwargs["start_time"].timestamp(),
        "endTime": kwargs["end_time"].timestamp(),
        "metadata": kwargs["litellm_params"]["metadata"],
        "messages": kwargs["messages"],
        "model_parameters": kwargs["optional_params"],
        "error_str": str(kwargs["exception"]) if status == "failure" else None,
    }
