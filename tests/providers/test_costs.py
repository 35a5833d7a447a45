"""The comparison of recorded costs itself: it compares, it skips in words, and it can fail."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from providers.pricing import cost
from tests import costs

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OPENAI = "https://api.openai.com/v1/chat/completions"
ANSWER = {
    "id": "c", "model": "gpt-4o", "created": 1_750_000_000, "service_tier": "default",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 90, "completion_tokens": 7,
              "prompt_tokens_details": {"cached_tokens": 40}},
}  # fmt: skip


def cassette(folder: Path, uri: str, answer: dict[str, Any]) -> Path:
    request = {"uri": uri, "method": "POST", "body": "{}"}
    response = {"status": {"code": 200}, "body": {"string": json.dumps(answer)}}
    document = {"interactions": [{"request": request, "response": response}]}
    (folder / "a.yaml").write_text(yaml.safe_dump(document))
    return folder


def test_a_recorded_answer_is_compared(tmp_path: Path) -> None:
    count = costs.compare(cassette(tmp_path, OPENAI, ANSWER), NOW)

    assert (count.compared, count.skipped, count.failed) == ({"openai": 1}, {}, {})


@pytest.mark.parametrize(
    ("uri", "answer"),
    [
        ("https://example.com/v1/chat/completions", ANSWER),
        (OPENAI, {**ANSWER, "model": "never-heard-of"}),
        (OPENAI, {**ANSWER, "usage": None}),
    ],
)
def test_what_cannot_be_compared_is_skipped_with_a_reason(
    uri: str, answer: dict[str, Any], tmp_path: Path
) -> None:
    count = costs.compare(cassette(tmp_path, uri, answer), NOW)

    assert (count.compared, len(count.skipped), count.failed) == ({}, 1, {})


def test_a_nano_too_much_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.costs.cost", lambda *given: cost(*given) + 1)

    count = costs.compare(cassette(tmp_path, OPENAI, ANSWER), NOW)

    assert [len(lines) for lines in count.failed.values()] == [1]
