"""One call between its arguments and what is given back: the part that all doors share."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..errors import ProviderError
from ..pricing import PriceUnknown
from ..types import ChatRequest, ChatResponse, Usage
from . import callbacks, costs, exchange, results
from .arguments import Call, read_call
from .callbacks import Telling
from .exchange import Answered, Begun, Posted, Ready, Refused, Steps
from .gathering import count_usage
from .raising import exception_for
from .results import Answer, Hidden, ModelResponse

HEADERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Asking:
    """A call on its way, and when it set out."""

    call: Call
    kind: str
    from_loop: bool
    is_watched: bool
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.perf_counter)

    def steps(self) -> Steps[Answered]:
        if self.call.is_mock:
            from . import mocks  # it needs the exceptions, which are dear

            return mocks.whole(self.call)
        return exchange.run(self.call, exchange.whole)

    def steps_of_stream(self) -> Steps[Begun]:
        if self.call.is_mock:
            from . import mocks  # as above

            return mocks.opening(self.call)
        return exchange.run(self.call, exchange.opening)

    def before(self) -> Iterator[Telling]:
        if not self.is_watched:
            return iter(())
        kwargs = self._kwargs(None)
        request = self.call.request
        return callbacks.before(request.model, self.call.messages, kwargs, self.from_loop)

    def succeeded(self, answer: Answer, ready: Ready) -> Iterator[Telling]:
        if not self.is_watched:
            return iter(())
        kwargs = self._kwargs(ready)
        kwargs["response_cost"] = answer._hidden_params["response_cost"]
        try:
            kwargs["cost_nanos"] = answer.cost_nanos
        except PriceUnknown:
            kwargs["cost_nanos"] = None
        if self.call.request.stream:
            kwargs["complete_streaming_response"] = answer
        told = callbacks.standard_logging_object(kwargs, answer, "success")
        kwargs["standard_logging_object"] = told
        return callbacks.succeeded(kwargs, answer, self._times(kwargs), self.from_loop)

    def failed(self, error: Exception) -> Iterator[Telling]:
        if not self.is_watched:
            return iter(())
        kwargs = {**self._kwargs(None), "exception": error}
        told = callbacks.standard_logging_object(kwargs, None, "failure")
        kwargs["standard_logging_object"] = told
        return callbacks.failed(kwargs, error, self._times(kwargs), self.from_loop)

    def _times(self, kwargs: Mapping[str, Any]) -> tuple[datetime, datetime]:
        return self.started, kwargs["end_time"]

    def _kwargs(self, ready: Ready | None) -> dict[str, Any]:
        call = self.call
        return {
            "model": ready.target.model if ready else call.request.model,
            "messages": call.messages,
            "optional_params": dict(call.request.options),
            "litellm_params": {
                "metadata": dict(call.metadata),
                "api_base": ready.target.base_url if ready else call.api_base,
                "custom_llm_provider": ready.target.provider.name if ready else call.provider,
            },
            "stream": call.request.stream,
            "user": call.request.options.get("user"),
            "call_type": self.kind,
            "litellm_call_id": self.id,
            "start_time": self.started,
            "end_time": datetime.now(UTC),
            "response_cost": None,
            "cost_nanos": None,
        }

    def milliseconds(self) -> float:
        return (time.perf_counter() - self.clock) * 1000


def begin(
    model: str, messages: Any, stream: bool, options: Mapping[str, Any], *, from_loop: bool
) -> Asking:
    """Raises the exceptions of `exceptions.py` for arguments that cannot be."""
    try:
        call = read_call(model, messages, stream, options)
    except ProviderError as error:
        raise raised(Refused(error, str(model), None, {})) from error
    kind = "acompletion" if from_loop else "completion"
    return Asking(call, kind, from_loop, callbacks.anyone())


def begin_document(
    kind: str, model: str, parse: Callable[[object], ChatRequest], options: Mapping[str, Any]
) -> Asking:
    """As `begin`, for a call that is not a chat: `kind` is its name, with an `a` from a loop."""
    try:
        call = read_call(model, (), options.get("stream") is True, options, parse)
    except ProviderError as error:
        raise raised(Refused(error, str(model), None, {})) from error
    return Asking(call, kind, kind.startswith("a"), callbacks.anyone())


def whole(asking: Asking, answered: Answered) -> ModelResponse:
    """What `completion` gives back."""
    response, ready = answered.response, answered.ready
    tokens = response.usage or _counted(asking, response)
    made = results.whole(response, tokens)
    made._hidden_params = hidden(asking, answered, tokens, response.model)
    made._hidden_params["usage_is_counted"] = response.usage is None
    made.response_ms = asking.milliseconds()
    return made if response.created else _dated(made, ready)


def _dated(made: ModelResponse, ready: Ready) -> ModelResponse:
    made.created = int(time.time())
    made.model = made.model or ready.target.model
    return made


def _counted(asking: Asking, response: ChatResponse) -> Usage:
    request = asking.call.request
    tools = request.options.get("tools") or ()
    return count_usage(request.messages, tools, response.choices, request.model)


def hidden(
    asking: Asking, outcome: Answered | Begun | Posted, tokens: Usage, reported: str
) -> Hidden:
    """What is known beside an answer: its price by the asked model, else by the reported one."""
    target = outcome.ready.target
    names = [name for name in (target.model, reported) if name]
    return Hidden(
        lambda: costs.nanos_of(tokens, target.provider.name, names, outcome.ready.rates),
        custom_llm_provider=target.provider.name,
        model=target.model,
        api_base=target.base_url,
        litellm_call_id=asking.id,
        dropped_params=list(outcome.ready.dropped),
        attempts=outcome.attempts,
        additional_headers=_told(outcome.headers),
    )


def _told(headers: Mapping[str, str]) -> dict[str, str]:
    """The provider's headers by LiteLLM's names."""
    pairs = list(headers.items())[:HEADERS_MAX]
    return {f"llm_provider-{name.lower()}": value for name, value in pairs}


def problem(asking: Asking, error: Exception, ready: Ready | None = None) -> Exception:
    """Any failure as the caller is to see it: ours by name, everything else as it is."""
    if isinstance(error, Refused):
        return raised(error)
    if isinstance(error, ProviderError):
        model = ready.target.model if ready else asking.call.request.model
        provider = ready.target.provider.name if ready else asking.call.provider
        return raised(Refused(error, model, provider, {}))
    return error


def raised(refused: Refused) -> Exception:
    return exception_for(refused.error, refused.model, refused.provider, refused.headers)
