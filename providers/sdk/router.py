"""`Router`: many deployments behind one name, over the decisions of `providers/router/`.

`drive` and `drive_async` ask for one attempt at a time; here an attempt is an ordinary call with
no retries and no fallbacks of its own. A stream may move on until its first chunk. Each attempt is
told to the callbacks, as in LiteLLM. What was decided and why is in `_hidden_params["decision"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, overload

from ..errors import BadRequest, ProviderError
from ..router import (
    Ask,
    Began,
    Decision,
    Deployment,
    Failure,
    Success,
    Switchboard,
    Try,
    Vitals,
    drive,
    drive_async,
    knows,
    needs_of,
    read_model_list,
    read_settings,
)
from ..router import Call as Routed
from . import counting, vectors
from .arguments import Call, read_call
from .asking import Asking, problem, whole
from .callbacks import anyone, tell, tell_from_loop
from .drivers import AsyncDriver, SyncDriver
from .exchange import Answered, Begun, Posted, Refused, Steps
from .raising import exception_for
from .results import Answer, ModelResponse, Usage
from .routed_errors import as_provider_error
from .streams import AsyncStream, CustomStreamWrapper, SyncStream
from .vectors import EmbeddingResponse

PICO = 10**12
Outcome = TypeVar("Outcome", Answered, Begun, Posted)


@dataclass
class Wish:
    """One call as the caller wished it, before a deployment is chosen."""

    kind: str
    model: str
    given: Mapping[str, Any]
    read: Callable[[str, Mapping[str, Any]], Call]
    refused: list[Refused] = field(default_factory=list)

    def asking(self, step: Try) -> Asking:
        """The call at this deployment; raises BadRequest."""
        deployment = step.deployment
        given = {**deployment.params, **_rates(deployment), **self.given}
        given |= {"custom_llm_provider": deployment.provider, "num_retries": 0}
        call = self.read(deployment.model, given)
        limits = call.limits
        seconds = min(limits.first_byte_seconds, step.timeout_seconds)
        limits = replace(limits, first_byte_seconds=seconds, answer_seconds=seconds)
        if not call.request.stream:
            limits = replace(limits, total_seconds=seconds)
        call = replace(call, limits=limits, longer={}, fallbacks=())
        return Asking(call, self.kind, self.kind.startswith("a"), anyone())

    def failure(self, error: Exception) -> ProviderError:
        """The error as the router is to judge it; raises what is no failure of a provider."""
        if isinstance(error, Refused):
            self.refused.append(error)
            return error.error
        return as_provider_error(error)

    @contextmanager
    def named(self) -> Iterator[None]:
        """What the router gave up with, as the exception that a caller sees."""
        try:
            yield
        except ProviderError as error:
            last = next((each for each in self.refused if each.error is error), None)
            if last is None:
                raise exception_for(error, self.model) from error
            raise exception_for(error, last.model, last.provider, last.headers) from error


def _rates(deployment: Deployment) -> dict[str, float]:
    """What the deployment costs, in LiteLLM's words; the caller's own rates win."""
    rates = {
        "input_cost_per_token": deployment.input_pico_per_token,
        "output_cost_per_token": deployment.output_pico_per_token,
    }
    return {name: pico / PICO for name, pico in rates.items() if pico is not None}


class Router:
    """LiteLLM's Router: `model_list` and the settings of `providers/router/read_settings.py`.

    Raises ConfigError (a ValueError) for a list or a setting that is wrong or not known.
    """

    def __init__(
        self,
        model_list: Sequence[Mapping[str, Any]],
        *,
        default_litellm_params: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.model_list = list(model_list)
        deployments = read_model_list(model_list, defaults=default_litellm_params)
        self._board = Switchboard(deployments, read_settings(settings, knows(deployments)))
        self._counts = any(_is_limited(each) for each in deployments)

    def get_model_names(self) -> list[str]:
        return list(self._board.groups)

    def vitals(self) -> list[Vitals]:
        """How each deployment is now."""
        return self._board.vitals()

    @overload
    def completion(
        self,
        model: str,
        messages: Sequence[Any] = (),
        *,
        stream: Literal[False] = False,
        **options: Any,
    ) -> ModelResponse: ...

    @overload
    def completion(
        self, model: str, messages: Sequence[Any] = (), *, stream: Literal[True], **options: Any
    ) -> SyncStream: ...

    @overload
    def completion(
        self, model: str, messages: Sequence[Any] = (), *, stream: bool, **options: Any
    ) -> ModelResponse | SyncStream: ...

    def completion(
        self, model: str, messages: Sequence[Any] = (), *, stream: bool = False, **options: Any
    ) -> ModelResponse | SyncStream:
        """As `providers.completion`; `model` is a name of the list, or an alias of one."""
        wish = _chat("completion", model, messages, bool(stream), options)
        if stream:
            asking, begun, driver, routed = self._drive(wish, Asking.steps_of_stream)
            return _watched(SyncStream(asking, begun, driver), routed)
        asking, answered, _, routed = self._drive(wish, Asking.steps)
        made = _noted(whole(asking, answered), routed)
        tell(asking.succeeded(made, answered.ready))
        return made

    @overload
    async def acompletion(
        self,
        model: str,
        messages: Sequence[Any] = (),
        *,
        stream: Literal[False] = False,
        **options: Any,
    ) -> ModelResponse: ...

    @overload
    async def acompletion(
        self, model: str, messages: Sequence[Any] = (), *, stream: Literal[True], **options: Any
    ) -> AsyncStream: ...

    @overload
    async def acompletion(
        self, model: str, messages: Sequence[Any] = (), *, stream: bool, **options: Any
    ) -> ModelResponse | AsyncStream: ...

    async def acompletion(
        self, model: str, messages: Sequence[Any] = (), *, stream: bool = False, **options: Any
    ) -> ModelResponse | AsyncStream:
        """`completion` for a loop."""
        wish = _chat("acompletion", model, messages, bool(stream), options)
        if stream:
            asking, begun, driver, routed = await self._drive_async(wish, Asking.steps_of_stream)
            return _watched(AsyncStream(asking, begun, driver), routed)
        asking, answered, _, routed = await self._drive_async(wish, Asking.steps)
        made = _noted(whole(asking, answered), routed)
        await tell_from_loop(asking.succeeded(made, answered.ready))
        return made

    def embedding(self, model: str, input: Any = None, **options: Any) -> EmbeddingResponse:
        """As `providers.embedding`, through the router."""
        asking, posted, _, routed = self._drive(
            _texts("embedding", model, input, options), vectors.steps
        )
        made = _noted(vectors.read(asking, posted), routed)
        tell(asking.succeeded(made, posted.ready))
        return made

    async def aembedding(self, model: str, input: Any = None, **options: Any) -> EmbeddingResponse:
        """`embedding` for a loop."""
        asking, posted, _, routed = await self._drive_async(
            _texts("aembedding", model, input, options), vectors.steps
        )
        made = _noted(vectors.read(asking, posted), routed)
        await tell_from_loop(asking.succeeded(made, posted.ready))
        return made

    def _drive(
        self, wish: Wish, steps_of: Callable[[Asking], Steps[Outcome]]
    ) -> tuple[Asking, Outcome, SyncDriver, Routed]:
        def send(step: Try) -> tuple[tuple[Asking, Outcome, SyncDriver], Success | Began]:
            asking = wish.asking(step)
            driver = SyncDriver(asking.call.client)
            tell(asking.before())
            try:
                outcome = driver.run(steps_of(asking))
            except Exception as error:
                tell(asking.failed(problem(asking, error)))
                raise wish.failure(error) from error
            return (asking, outcome, driver), _told(outcome)

        with wish.named():
            routed = self._board.call(self._ask(wish))
            asking, outcome, driver = drive(routed, send)
        return asking, outcome, driver, routed

    async def _drive_async(
        self, wish: Wish, steps_of: Callable[[Asking], Steps[Outcome]]
    ) -> tuple[Asking, Outcome, AsyncDriver, Routed]:
        async def send(step: Try) -> tuple[tuple[Asking, Outcome, AsyncDriver], Success | Began]:
            asking = wish.asking(step)
            driver = AsyncDriver(asking.call.client)
            await tell_from_loop(asking.before())
            try:
                outcome = await driver.run(steps_of(asking))
            except Exception as error:
                await tell_from_loop(asking.failed(problem(asking, error)))
                raise wish.failure(error) from error
            return (asking, outcome, driver), _told(outcome)

        with wish.named():
            routed = self._board.call(self._ask(wish))
            asking, outcome, driver = await drive_async(routed, send)
        return asking, outcome, driver, routed

    def _ask(self, wish: Wish) -> Ask:
        """What the router is to know of the call; raises BadRequest for arguments that cannot be.

        It is read as if for OpenAI's shape, which every option has words in. Tokens are counted
        only where a deployment has a limit.
        """
        call = wish.read(wish.model, {**wish.given, "custom_llm_provider": "openai"})
        request = call.request
        count = counting.token_counter(wish.model, messages=request.messages) if self._counts else 0
        return Ask(
            wish.model,
            needs_of(request, count),
            tags=frozenset(str(tag) for tag in call.metadata.get("tags") or ()),
            retries=None if wish.given.get("num_retries") is None else call.retries,
            fallbacks=_fallbacks(wish),
        )


def _is_limited(each: Deployment) -> bool:
    limits = each.context_window, each.input_tokens_max, each.output_tokens_max, each.tpm
    return any(limit is not None for limit in limits)


def _chat(kind: str, model: str, messages: Any, stream: bool, options: Mapping[str, Any]) -> Wish:
    return Wish(
        kind, model, options, lambda name, given: read_call(name, messages, stream, _of(given))
    )


def _texts(kind: str, model: str, input: Any, options: Mapping[str, Any]) -> Wish:
    def read(name: str, given: Mapping[str, Any]) -> Call:
        return read_call(name, (), False, {**_of(given), "input": input}, vectors.parse)

    return Wish(kind, model, options, read)


def _of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is the router's own to decide."""
    return {k: v for k, v in given.items() if k not in {"fallbacks", "disable_fallbacks"}}


def _fallbacks(wish: Wish) -> tuple[str, ...] | None:
    """The call's own: a list of names, or LiteLLM's [{"a": ["b"]}], of which this model's."""
    if wish.given.get("disable_fallbacks"):
        return ()
    given = wish.given.get("fallbacks")
    if given is None:
        return None
    names: list[str] = []
    for each in given if isinstance(given, list | tuple) else [given]:
        found = each.get(wish.model) or () if isinstance(each, Mapping) else [each]
        names += found
    if not all(isinstance(name, str) for name in names):
        raise BadRequest("fallbacks must be a list of names.", param="fallbacks")
    return tuple(names)


def _told(outcome: Answered | Begun | Posted) -> Success | Began:
    if isinstance(outcome, Begun):
        return Began()
    usage = outcome.response.usage if isinstance(outcome, Answered) else None
    return Success() if usage is None else Success(usage.input_tokens, usage.output_tokens)


Made = TypeVar("Made", bound=Answer)
Stream = TypeVar("Stream", bound=CustomStreamWrapper)


def _noted(made: Made, routed: Routed) -> Made:
    made._hidden_params["decision"] = routed.decision
    return made


def _watched(stream: Stream, routed: Routed) -> Stream:
    """The router is told how the stream ended: by itself, by a failure, or by the caller."""
    stream.watch(Watching(routed))
    return stream


@dataclass(frozen=True, slots=True)
class Watching:
    """A stream's end, told to the router's call."""

    routed: Routed

    @property
    def decision(self) -> Decision:
        return self.routed.decision

    def succeeded(self, usage: Usage) -> None:
        self.routed.next(Success(usage.prompt_tokens, usage.completion_tokens))

    def failed(self, error: ProviderError) -> None:
        self.routed.next(Failure(error))

    def abandoned(self) -> None:
        self.routed.abandon()
