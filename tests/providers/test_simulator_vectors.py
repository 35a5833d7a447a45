"""The simulator's vectors: by the input alone, and refused where there is none."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest

from providers.embeddings import floats
from providers.simulator import vectors


def answered(body: dict[str, Any], model: str = "sim-embed") -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(vectors.whole(body, model))
    return document


def test_a_vector_depends_on_its_input_alone_and_has_length_one() -> None:
    first, second = vectors.vector("Hi", 8), vectors.vector("Ho", 8)

    assert vectors.vector("Hi", 8) == first != second
    assert math.hypot(*first) == pytest.approx(1.0)
    assert len(vectors.vector([1, 2], 1_536)) == 1_536


def test_base64_holds_the_same_numbers_as_floats() -> None:
    [numbers] = answered({"input": "Hi"})["data"]
    [packed] = answered({"input": "Hi", "encoding_format": "base64"})["data"]

    assert floats(packed["embedding"]) == pytest.approx(numbers["embedding"], rel=1e-6)


@pytest.mark.parametrize(
    ("given", "count"), [("Hello there!", 3), (["Hi", "Hi"], 2), ([7, 8, 9], 3), ([[1], [2, 3]], 3)]
)
def test_usage_is_the_exact_count_of_all_inputs(given: Any, count: int) -> None:
    assert answered({"input": given})["usage"] == {"prompt_tokens": count, "total_tokens": count}


def test_usage_is_absent_or_absurd_by_the_models_name() -> None:
    assert "usage" not in answered({"input": "Hi"}, "sim-nousage")
    assert answered({"input": "Hi"}, "sim-badusage")["usage"]["prompt_tokens"] == -1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": []},
        {"input": [None]},
        {"input": "Hi", "dimensions": -1},
        {"input": "Hi", "dimensions": 5_000},
        {"input": "Hi", "stream": True},
    ],
    ids=str,
)
def test_what_is_no_request_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        vectors.check(body)
