"""Every failure comes out by LiteLLM's name, with its status, and as openai's class too."""

from __future__ import annotations

import pickle
import subprocess
import sys

import openai
import pytest

import providers
from providers import errors, exceptions
from providers.errors import ProviderError
from providers.sdk import failures
from providers.sdk.raising import exception_for
from tests.sdk.asked import EVERY_WAY, EVERY_WIRE, HELLO, Ask
from tests.sdk.scripted import Script, error
from tests.sdk.test_chat import named
from tests.servers import ROOT

LONG = "This model's maximum context length is 8192 tokens."
FILTERED = "The response was filtered due to Azure OpenAI's content management policy."
# (class, status, code, message) -> name, status of the exception
TABLE = [
    (errors.Unsupported, None, None, "no", "UnsupportedParamsError", 400),
    (errors.BadRequest, None, None, "no", "BadRequestError", 400),
    (errors.BadRequest, 400, None, "no", "BadRequestError", 400),
    (errors.BadRequest, 400, "context_length_exceeded", "no", "ContextWindowExceededError", 400),
    (errors.BadRequest, 400, None, LONG, "ContextWindowExceededError", 400),
    (errors.BadRequest, 400, "x", "prompt is too long: 9 > 8", "ContextWindowExceededError", 400),
    (errors.BadRequest, 413, None, LONG, "ContextWindowExceededError", 413),
    (errors.BadRequest, 413, "request_too_large", "no", "BadRequestError", 413),
    (errors.BadRequest, 422, None, "no", "UnprocessableEntityError", 422),
    (errors.BadRequest, 400, "content_policy_violation", "", "ContentPolicyViolationError", 400),
    (errors.BadRequest, 400, "content_filter", "no", "ContentPolicyViolationError", 400),
    (errors.BadRequest, 400, None, FILTERED, "ContentPolicyViolationError", 400),
    (errors.BadRequest, 400, "invalid_image_url", "no", "ImageFetchError", 400),
    (errors.BadRequest, 404, "model_not_found", "no", "NotFoundError", 404),
    (errors.StatusError, 401, None, "no", "AuthenticationError", 401),
    (errors.StatusError, 402, "billing_error", "no", "APIError", 402),
    (errors.StatusError, 403, None, "no", "PermissionDeniedError", 403),
    (errors.StatusError, 404, None, "no", "NotFoundError", 404),
    (errors.StatusError, 408, None, "no", "Timeout", 408),
    (errors.StatusError, 409, None, "no", "APIError", 409),
    (errors.StatusError, 418, None, "no", "APIError", 418),
    (errors.StatusError, 429, "insufficient_quota", "no", "RateLimitError", 429),
    (errors.StatusError, 429, None, LONG, "RateLimitError", 429),
    (errors.StatusError, 500, None, "no", "InternalServerError", 500),
    (errors.StatusError, 502, None, "no", "InternalServerError", 502),
    (errors.StatusError, 503, None, "no", "ServiceUnavailableError", 503),
    (errors.StatusError, 504, None, "no", "Timeout", 504),
    (errors.StatusError, 529, "overloaded_error", "no", "InternalServerError", 529),
    (errors.ConnectFailed, None, None, "no", "APIConnectionError", 500),
    (errors.ConnectionLost, None, None, "no", "APIConnectionError", 500),
    (errors.TimedOut, None, None, "no", "Timeout", 408),
    (errors.UnusableAnswer, None, None, "no", "APIResponseValidationError", 500),
    (errors.UnusableAnswer, 302, None, "no", "APIResponseValidationError", 500),
    (errors.UnusableAnswer, 500, None, "no", "InternalServerError", 500),
    (errors.StreamError, None, None, "no", "APIError", 500),
    (errors.StreamError, None, "overloaded_error", "no", "InternalServerError", 500),
    (errors.StreamError, None, "rate_limit_error", "no", "RateLimitError", 429),
    (errors.StreamError, None, None, LONG, "ContextWindowExceededError", 400),
]
SIMULATED = [
    ("sim-400", exceptions.BadRequestError, 400),
    ("sim-401", exceptions.AuthenticationError, 401),
    ("sim-403", exceptions.PermissionDeniedError, 403),
    ("sim-404", exceptions.NotFoundError, 404),
    ("sim-422", exceptions.UnprocessableEntityError, 422),
    ("sim-429", exceptions.RateLimitError, 429),
    ("sim-500", exceptions.InternalServerError, 500),
    ("sim-503", exceptions.ServiceUnavailableError, 503),
    ("sim-529", exceptions.InternalServerError, 529),
    ("sim-reset", exceptions.APIConnectionError, 500),
    ("sim-garbage", exceptions.APIResponseValidationError, 500),
    ("sim-empty", exceptions.APIResponseValidationError, 500),
]


@pytest.mark.parametrize(("kind", "status", "code", "message", "name", "shown"), TABLE)
def test_the_table(
    kind: type[ProviderError],
    status: int | None,
    code: str | None,
    message: str,
    name: str,
    shown: int,
) -> None:
    raised = exception_for(kind(message, status=status, code=code), "m", "p", {"a": "b"})

    assert type(raised).__name__ == name
    assert isinstance(raised, exceptions.Failure)
    assert (raised.status_code, raised.model, raised.llm_provider) == (shown, "m", "p")
    assert raised.headers == {"a": "b"}


def test_the_table_names_every_error_and_every_name_is_an_exception() -> None:
    def below(kind: type[ProviderError]) -> set[type[ProviderError]]:
        direct = {each for each in kind.__subclasses__() if each.__module__ == errors.__name__}
        return direct | {each for one in direct for each in below(one)}

    leaves = {each for each in below(ProviderError) if not below(each)}
    names = {
        *failures.CODES.values(),
        *failures.STATUSES.values(),
        *dict(failures.CLASSES).values(),
    }

    assert leaves - {row[0] for row in TABLE} == set()
    assert names - set(exceptions.__all__) == set()


@pytest.mark.parametrize("name", [n for n in exceptions.__all__ if n != "BudgetExceededError"])
def test_every_exception_is_openais_too_and_one_object(name: str) -> None:
    ours = getattr(exceptions, name)

    assert issubclass(ours, openai.OpenAIError)
    assert getattr(providers, name) is ours
    theirs = getattr(openai, name, None)
    if isinstance(theirs, type) and issubclass(theirs, Exception):
        assert issubclass(ours, theirs)


def test_an_exception_survives_a_pickle() -> None:
    told = exceptions.RateLimitError("slow down", model="m", llm_provider="p")

    back = pickle.loads(pickle.dumps(told))

    assert type(back) is exceptions.RateLimitError
    assert (str(back), back.status_code, back.model) == ("slow down", 429, "m")


def test_a_budget_error_says_both_amounts() -> None:
    assert str(exceptions.BudgetExceededError(2.5, 1.0)) == (
        "Budget has been exceeded! Current cost: 2.5, Max budget: 1.0"
    )


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.parametrize(("model", "kind", "status"), SIMULATED)
def test_a_provider_that_fails_fails_by_name(
    ask: Ask, wire: str, model: str, kind: type[exceptions.Failure], status: int
) -> None:
    with pytest.raises(kind) as caught:
        ask(f"{wire}/{model}", num_retries=0)

    assert caught.value.status_code == status
    assert (caught.value.model, caught.value.llm_provider) == (model, wire)
    assert isinstance(caught.value.__cause__, ProviderError)


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_no_connection_is_a_connection_error(ask: Ask) -> None:
    with pytest.raises(exceptions.APIConnectionError):
        ask("sim-refuse", num_retries=0)


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_no_answer_in_time_is_a_timeout(ask: Ask) -> None:
    with pytest.raises(openai.APITimeoutError):
        ask("sim-hang", num_retries=0, timeout=0.3)


@pytest.mark.parametrize("ask", EVERY_WAY[2:], ids=named)
@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_stream_that_breaks_says_so(ask: Ask, wire: str) -> None:
    with pytest.raises(exceptions.APIConnectionError):
        ask(f"{wire}/sim-cut-2")
    with pytest.raises(exceptions.InternalServerError, match="fails on request"):
        ask(f"{wire}/sim-error-event-2")


def test_a_stream_that_repeats_itself_is_stopped() -> None:
    with pytest.raises(exceptions.InternalServerError, match="repeating the same chunk"):
        for _ in providers.completion("sim-long", HELLO, stream=True, max_tokens=150):
            pass


@pytest.mark.parametrize("ask", EVERY_WAY, ids=named)
def test_no_key_is_told_before_anything_is_sent(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    with pytest.raises(exceptions.AuthenticationError, match="OPENAI_API_KEY"):
        ask("gpt-4o")


def test_the_providers_headers_come_along(script: Script) -> None:
    script.say(429, error("slow"), retry_after="30", x_request_id="r1")

    with pytest.raises(exceptions.RateLimitError) as caught:
        providers.completion("gpt-4o", HELLO, num_retries=0)

    assert caught.value.request_id == "r1"
    assert caught.value.response.headers["retry-after"] == "30"
    assert caught.value.response.status_code == 429
    assert caught.value.message == "RateLimitError: slow"


def test_the_same_names_are_there_without_openai() -> None:
    code = """
import sys
sys.modules["openai"] = None
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "openai" else real(name, *more)
import providers
hello = [{"role": "user", "content": "x"}]
try:
    providers.completion("gpt-4o", hello, mock_response="litellm.Timeout")
except providers.Timeout as error:
    print([each.__name__ for each in type(error).__mro__])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "'APITimeoutError', 'APIConnectionError', 'APIError', 'OpenAIError'" in done.stdout
