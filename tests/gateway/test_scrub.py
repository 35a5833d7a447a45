"""What a provider says of a failure is told without the secrets that it may quote."""

from __future__ import annotations

import pytest

from gateway_project.errors import scrub


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Incorrect API key provided: sk-abc***wxyz.", "Incorrect API key provided: [redacted]"),
        (
            "Consumer 'api_key:AIzaSyA1234567890_-abc' has been suspended.",
            "Consumer 'api_key:[redacted]' has been suspended.",
        ),
        ("GET /models?key=AbCdEf123 failed", "GET /models?[redacted] failed"),
        ("Bearer abcdefgh is expired", "[redacted] is expired"),
        ("The model is overloaded.", "The model is overloaded."),
    ],
    ids=lambda text: text[:20],
)
def test_no_secret_is_told(said: str, told: str) -> None:
    assert scrub(said) == told
