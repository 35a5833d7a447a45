"""The arguments of `completion` as a checked `Call`. Pure, but for the door's own defaults.

| argument | meaning |
|---|---|
| `api_key`, `api_base` or `base_url` | instead of the environment's |
| `custom_llm_provider` (or `provider`) | which provider, where the model's name does not say it |
| `timeout`, `stream_timeout` | seconds for a whole answer; for a stream's first byte |
| `num_retries` (or `max_retries`) | more attempts at the same model, 2 unless said |
| `fallbacks` | models, or dicts of arguments with a `model`, to try when this one cannot answer |
| `context_window_fallback_dict` | {model: model} to try where the prompt is too long |
| `drop_params`, `additional_drop_params` | leave out what the provider has no words for; these |
| `extra_headers` (or `headers`), `extra_body` | go to the provider beside the rest |
| `metadata` | for callbacks; it is not sent |
| `input_cost_per_token`, `output_cost_per_token` | dollars, instead of the list's price |
| `mock_response`, `mock_tool_calls` | answer with this, without a provider |
| `client` | an `httpx.Client` or `httpx.AsyncClient`, or a transport of this package |

Everything else is an option of OpenAI's chat completions and goes to the provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..client import Limits
from ..dialects.openai_request import parse_request
from ..errors import BadRequest
from ..types import ChatRequest
from . import answer_format, door
from .addresses import find_provider
from .record import plain

SECONDS = 600.0  # as openai's and anthropic's own clients, 2026-11
RETRIES = 2
RETRIES_MAX = 20
FALLBACKS_MAX = 20
CONTROLS = frozenset(
    {
        "additional_drop_params",
        "api_base",
        "api_key",
        "base_url",
        "client",
        "context_window_fallback_dict",
        "custom_llm_provider",
        "drop_params",
        "extra_body",
        "extra_headers",
        "fallbacks",
        "headers",
        "input_cost_per_token",
        "max_retries",
        "metadata",
        "mock_response",
        "mock_tool_calls",
        "num_retries",
        "output_cost_per_token",
        "provider",
        "stream_timeout",
        "timeout",
    }
)
# LiteLLM's own, that nothing here answers to: named like an option that a provider cannot say.
UNANSWERED = (
    "api_version",
    "cache",
    "caching",
    "deployment_id",
    "litellm_call_id",
    "litellm_logging_obj",
    "logger_fn",
    "model_list",
    "organization",
    "verbose",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, checked. `unsaid` names arguments that this package has no meaning for."""

    request: ChatRequest
    messages: Sequence[Any]
    given: Mapping[str, Any] = field(default_factory=dict, repr=False)
    provider: str | None = None
    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    limits: Limits = field(default_factory=Limits)
    retries: int = RETRIES
    fallbacks: tuple[Call, ...] = ()
    longer: Mapping[str, str] = field(default_factory=dict)
    drops: bool = False
    dropped: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rates: tuple[float, float] | None = None
    mock: Any = None
    mock_tool_calls: Any = None
    client: Any = None
    parse: Callable[[object], ChatRequest] = parse_request

    @property
    def is_mock(self) -> bool:
        return self.mock is not None or self.mock_tool_calls is not None


def read_call(
    model: str,
    messages: Any,
    stream: bool,
    given: Mapping[str, Any],
    parse: Callable[[object], ChatRequest] = parse_request,
) -> Call:
    """Raises BadRequest that names the argument. `parse` checks the body that is left."""
    controls = {name: given.get(name) for name in CONTROLS}
    dropped = _names(controls["additional_drop_params"])
    options = _options(given, controls, dropped)
    unsaid = tuple(name for name in UNANSWERED if options.pop(name, None))
    body = {
        **{name: plain(value) for name, value in options.items()},
        "model": model,
        "messages": plain(messages),
        "stream": bool(stream),
    }
    call = Call(
        request=parse(body),
        parse=parse,
        messages=messages,
        given=given,
        provider=controls["custom_llm_provider"] or controls["provider"],
        api_key=controls["api_key"],
        api_base=controls["base_url"] or controls["api_base"],
        limits=_limits(controls, stream),
        retries=_retries(controls),
        longer={**door.setting("context_window_fallbacks", {}), **_longer(controls)},
        drops=bool(_or_setting(controls["drop_params"], "drop_params", False)),
        dropped=tuple(name for name in dropped if given.get(name) is not None),
        unsaid=unsaid,
        headers=_headers(controls),
        metadata=_mapping(controls, "metadata"),
        rates=_rates(controls),
        mock=controls["mock_response"],
        mock_tool_calls=controls["mock_tool_calls"],
        client=controls["client"],
    )
    others = tuple(other_call(call, each) for each in _fallbacks(controls["fallbacks"]))
    return replace(call, fallbacks=others) if others else call


def _options(
    given: Mapping[str, Any], controls: Mapping[str, Any], dropped: tuple[str, ...]
) -> dict[str, Any]:
    """What is for the provider, as far as the arguments say."""
    options = {
        name: value
        for name, value in given.items()
        if value is not None and name not in CONTROLS and name not in dropped
    }
    options |= _mapping(controls, "extra_body")
    if "response_format" in options:
        options["response_format"] = answer_format.read(options["response_format"])
    return options


def other_call(call: Call, changed: Mapping[str, Any]) -> Call:
    """The same call with other arguments, `model` among them.

    Key, address and client go along only to the same provider: no one gets another's key.
    """
    given = {**call.given, "fallbacks": None, "context_window_fallback_dict": None}
    row, _ = find_provider(call.request.model, call.provider)
    provider = changed.get("custom_llm_provider")
    other, _ = find_provider(changed["model"], provider)
    bound = {"input_cost_per_token": None, "output_cost_per_token": None, "provider": None}
    bound["custom_llm_provider"] = provider
    if other is not row:
        bound |= {"api_key": None, "api_base": None, "base_url": None, "extra_headers": None}
        bound |= {"headers": None, "extra_body": None}
    others = {name: value for name, value in changed.items() if name != "model"}
    made = read_call(
        changed["model"],
        call.messages,
        call.request.stream,
        {**given, **bound, **others},
        call.parse,
    )
    return replace(made, longer=call.longer)


def _or_setting(given: Any, name: str, default: Any) -> Any:
    return door.setting(name, default) if given is None else given


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise BadRequest(
            "additional_drop_params must be a list of names.", param="additional_drop_params"
        )
    return tuple(value)


def _mapping(controls: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = controls[name] or {}
    if not isinstance(value, Mapping):
        raise BadRequest(f"{name} must be a dict.", param=name)
    return dict(value)


def _longer(controls: Mapping[str, Any]) -> dict[str, Any]:
    return _mapping(controls, "context_window_fallback_dict")


def _headers(controls: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case, so that a caller's own replaces ours; no line may end inside one."""
    given = {**_mapping(controls, "headers"), **_mapping(controls, "extra_headers")}
    headers = {}
    for name, value in given.items():
        text = f"{name}: {value}"
        if not name or not text.isascii() or not text.isprintable():
            raise BadRequest(f"{name!r} is not a header that can be sent.", param="extra_headers")
        headers[str(name).lower()] = str(value)
    return headers


def _retries(controls: Mapping[str, Any]) -> int:
    given = controls["num_retries"]
    given = controls["max_retries"] if given is None else given
    retries = _or_setting(given, "num_retries", None)
    if retries is None:
        return RETRIES
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= RETRIES_MAX:
        raise BadRequest(f"num_retries must be from 0 to {RETRIES_MAX}.", param="num_retries")
    return retries


def _limits(controls: Mapping[str, Any], stream: bool) -> Limits:
    whole = _seconds(controls["timeout"], "timeout")
    if whole is None:
        whole = _seconds(door.setting("request_timeout", SECONDS), "request_timeout") or SECONDS
    if not stream:
        return Limits(whole, whole, whole)
    first = _seconds(controls["stream_timeout"], "stream_timeout") or whole
    return Limits(first, first, max(first, SECONDS))


def _seconds(value: Any, name: str) -> float | None:
    """A number, or an `httpx.Timeout`, of which the time for reading counts."""
    value = getattr(value, "read", value)
    if value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 < seconds <= 86_400:
        raise BadRequest(f"{name} must be a number of seconds.", param=name)
    return seconds


def _fallbacks(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Each a dict of arguments that replace the call's own."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > FALLBACKS_MAX:
        raise BadRequest(
            f"fallbacks must be a list of at most {FALLBACKS_MAX} models.", param="fallbacks"
        )
    found = [{"model": each} if isinstance(each, str) else each for each in value]
    for each in found:
        if not isinstance(each, Mapping) or not isinstance(each.get("model"), str):
            raise BadRequest("A fallback is a model or a dict with one.", param="fallbacks")
    return tuple(dict(each) for each in found)


def _rates(controls: Mapping[str, Any]) -> tuple[float, float] | None:
    rates = controls["input_cost_per_token"], controls["output_cost_per_token"]
    if rates == (None, None):
        return None
    for rate in rates:
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)):
            raise BadRequest("A cost per token must be a number.", param="input_cost_per_token")
    return rates[0] or 0.0, rates[1] or 0.0
