"""Which usage is believed: up to the model's context, which is a limit for each input."""

from __future__ import annotations

import pytest

from gateway_project import billing
from gateway_project.facts import Attempt, Candidate, InputTokens
from providers.catalog import PROVIDERS
from providers.embeddings import EmbeddingRequest
from providers.errors import ConnectionLost
from providers.pricing import Price
from providers.routing import Target
from providers.types import ChatRequest, Usage

CONTEXT = 100
TARGET = Target(PROVIDERS["simulator"], "sim-embed", "http://host", "k")
CANDIDATE = Candidate(TARGET, Price(1, "simulator", "sim-embed", context_window=CONTEXT))


def basis(request: ChatRequest | EmbeddingRequest, tokens: int) -> str:
    attempt = Attempt("a", 1, CANDIDATE, usage=Usage(input_tokens=tokens))
    return billing.charged(attempt, InputTokens(request))[1]


@pytest.mark.parametrize(("inputs", "tokens"), [(1, 100), (3, 300)])
def test_a_batch_may_use_the_context_once_for_each_input(inputs: int, tokens: int) -> None:
    request = EmbeddingRequest("sim-embed", ["Hi"] * inputs)

    assert basis(request, tokens) == "provider_usage"
    assert basis(request, tokens + 1) == "counted"


def test_a_chat_is_one_input_however_many_messages_it_has() -> None:
    request = ChatRequest("sim-echo", [{"role": "user", "content": "Hi"}] * 3)

    assert basis(request, CONTEXT) == "provider_usage"
    assert basis(request, CONTEXT + 1) == "counted"


def test_what_is_charged_in_place_of_usage_that_is_not_believed_is_our_own_count() -> None:
    request = EmbeddingRequest("sim-embed", ["Hello there!", "Hi"])
    attempt = Attempt("a", 1, CANDIDATE, usage=Usage(input_tokens=10**6))

    usage, _ = billing.charged(attempt, InputTokens(request))

    assert (usage.input_tokens, usage.output_tokens) == (4, 0)


def cut(usage: Usage, text: str, *, has_finished: bool) -> tuple[Usage, str]:
    attempt = Attempt("a", 1, CANDIDATE, usage=usage, text=[text], has_finished=has_finished)
    attempt.error = ConnectionLost("the provider cut the connection")
    request = ChatRequest("sim-echo", [{"role": "user", "content": "Hi"}])
    return billing.charged(attempt, InputTokens(request))


def test_an_answer_that_was_cut_owes_what_was_said_and_not_what_its_first_event_named() -> None:
    first = Usage(input_tokens=8, output_tokens=1, cache_read_tokens=5)

    assert cut(first, "Hello there, you!", has_finished=False) == (
        Usage(input_tokens=8, output_tokens=5, cache_read_tokens=5),
        "counted",
    )


def test_usage_that_covers_what_was_said_is_believed_of_an_answer_that_was_cut() -> None:
    so_far = Usage(input_tokens=8, output_tokens=30)

    assert cut(so_far, "Hello there, you!", has_finished=False) == (so_far, "provider_usage")


def test_usage_that_came_with_the_end_is_the_usage_whatever_we_count() -> None:
    whole = Usage(input_tokens=8, output_tokens=2)

    assert cut(whole, "Hello there, you!", has_finished=True) == (whole, "provider_usage")
