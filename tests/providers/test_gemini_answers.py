"""Whole answers and errors of Gemini, read into OpenAI's shape."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from providers.dialects import gemini
from providers.errors import BadRequest, StatusError, UnusableAnswer
from providers.types import Usage


def answer(*parts: dict[str, Any], finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    return {
        "candidates": [{**candidate, "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r1",
        **more,
    }


def carried(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}}


def test_an_answer_has_its_text_thoughts_calls_and_signatures() -> None:
    response = gemini.read_response(
        answer(
            {"text": "Hm", "thought": True},
            {"text": "Grüße, "},
            {"text": "Welt", "thoughtSignature": "s1"},
            {
                "functionCall": {"id": "given-1", "name": "f", "args": {"city": "Köln"}},
                "thoughtSignature": "s2==",
            },
            {"functionCall": {"name": "g"}},
        )
    )

    [choice] = response.choices
    second = choice["message"]["tool_calls"][1].pop("id")
    assert choice == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "Grüße, Welt",
            "reasoning_content": "Hm",
            "tool_calls": [
                {
                    "id": "given-1",
                    "type": "function",
                    "function": {"name": "f", "arguments": '{"city":"Köln"}'},
                    **carried("s2=="),
                },
                {"type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
            **carried("s1"),
        },
        "logprobs": None,
        "finish_reason": "tool_calls",
    }
    assert re.fullmatch(r"call_[0-9a-f]{24}", second)
    assert (response.id, response.model) == ("r1", "gemini-2.5-flash")
    assert response.native_finish_reasons == ["STOP"]
    assert response.usage == Usage(9, 4)


def test_a_signed_thought_is_a_block_that_can_be_sent_back() -> None:
    body = answer({"text": "Hm", "thought": True, "thoughtSignature": "s0"}, {"text": "Hi"})

    message = gemini.read_response(body).choices[0]["message"]

    block = {"type": "thinking", "thinking": "Hm", **carried("s0")}
    assert message["thinking_blocks"] == [block]
    assert message["reasoning_content"] == "Hm"


def test_made_ids_are_the_same_for_the_same_answer_and_differ_within_it() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}}

    def ids(response_id: str) -> list[str]:
        response = gemini.read_response(answer(call, call, responseId=response_id))
        return [each["id"] for each in response.choices[0]["message"]["tool_calls"]]

    assert ids("r1") == ids("r1")
    assert len({*ids("r1"), *ids("r2")}) == 4


def test_an_id_that_others_would_refuse_is_made_anew() -> None:
    [call] = gemini.read_response(answer({"functionCall": {"id": "a b/ü", "name": "f"}})).choices[
        0
    ]["message"]["tool_calls"]

    assert re.fullmatch(r"call_[0-9a-f]{24}", call["id"])


def test_several_candidates_are_several_choices() -> None:
    body = answer({"text": "a"})
    second = {"content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS", "index": 1}

    response = gemini.read_response({**body, "candidates": [*body["candidates"], second]})

    said = [
        (each["index"], each["message"]["content"], each["finish_reason"])
        for each in response.choices
    ]
    assert said == [(0, "a", "stop"), (1, "b", "length")]


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("STOP", "stop"),
        (None, "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "stop"),
        ("OTHER", "stop"),
        ("OF_TOMORROW", "stop"),
    ],
)
def test_finish_reasons_are_openais_and_the_native_one_is_kept(
    native: str | None, expected: str
) -> None:
    response = gemini.read_response(answer({"text": "x"}, finish=native))

    [choice] = response.choices
    assert choice["finish_reason"] == expected
    assert response.native_finish_reasons == [native]
    ordinary = native in {"STOP", "MAX_TOKENS", None}
    told = None if ordinary else {"native_finish_reason": native}
    assert choice.get("provider_specific_fields") == told


def test_an_answer_that_was_all_thought_is_empty_and_billed() -> None:
    response = gemini.read_response(
        {
            "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
            "usageMetadata": {"promptTokenCount": 15, "thoughtsTokenCount": 2},
        }
    )

    assert response.choices[0]["message"] == {"role": "assistant", "content": None}
    assert response.choices[0]["finish_reason"] == "length"
    assert response.usage == Usage(15, 2, reasoning_tokens=2)


def test_a_blocked_prompt_is_a_filtered_choice_and_billed() -> None:
    response = gemini.read_response(
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
        }
    )

    assert response.choices == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None},
            "logprobs": None,
            "finish_reason": "content_filter",
            "provider_specific_fields": {"native_finish_reason": "PROHIBITED_CONTENT"},
        }
    ]
    assert response.native_finish_reasons == ["PROHIBITED_CONTENT"]
    assert response.usage == Usage(8, 0)


def test_a_picture_in_an_answer_is_a_data_url() -> None:
    body = answer({"inlineData": {"mimeType": "image/png", "data": "QUJD"}})

    assert gemini.read_response(body).choices[0]["message"]["images"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    ]


def test_logprobs_are_told_in_openais_shape() -> None:
    body = answer({"text": "é"})
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": [{"token": "é", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "e", "logProbability": -1}]}],
    }

    assert gemini.read_response(body).choices[0]["logprobs"] == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}],
            }
        ],
        "refusal": None,
    }


def test_usage_counts_tools_as_input_thoughts_as_output_and_the_cache_within() -> None:
    raw = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 80,
        "toolUsePromptTokenCount": 7,
        "candidatesTokenCount": 10,
        "thoughtsTokenCount": 500,
        "totalTokenCount": 617,
    }

    usage = gemini.read_usage(raw)

    assert usage == Usage(107, 510, cache_read_tokens=80, reasoning_tokens=500)
    assert usage.total_tokens == 617


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "none",
        {},
        {"promptTokenCount": None},
        {"promptTokenCount": -1},
        {"promptTokenCount": 1.5},
        {"promptTokenCount": True},
        {"promptTokenCount": 10**12},
        {"promptTokenCount": 1, "candidatesTokenCount": "many"},
        {"promptTokenCount": 1, "thoughtsTokenCount": -3},
        {"promptTokenCount": 5, "cachedContentTokenCount": 6},
    ],
    ids=str,
)
def test_usage_that_cannot_be_is_not_believed(raw: Any) -> None:
    assert gemini.read_usage(raw) is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        [],
        [{}],
        {},
        {"candidates": []},
        {"candidates": 7},
        {"candidates": [7]},
        {"candidates": [{}]},
        {"candidates": [{"content": {"parts": []}}]},
        {"usageMetadata": {"promptTokenCount": 1}},
        {"promptFeedback": {"safetyRatings": []}},
    ],
    ids=str,
)
def test_a_body_that_is_no_answer_is_unusable(body: Any) -> None:
    with pytest.raises(UnusableAnswer):
        gemini.read_response(body)


def failure(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


QUOTA = failure(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota",
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"},
)


@pytest.mark.parametrize("document", [QUOTA, [QUOTA]], ids=["object", "array"])
def test_a_full_quota_says_when_to_come_again(document: Any) -> None:
    error = gemini.read_error(429, {}, json.dumps(document).encode())

    assert isinstance(error, StatusError)
    assert (error.status, error.code) == (429, "RESOURCE_EXHAUSTED")
    assert error.message == "You exceeded your current quota"
    assert error.retry_after_seconds == 34.5
    assert (
        gemini.read_error(
            429, {"retry-after": "2"}, json.dumps(document).encode()
        ).retry_after_seconds
        == 2
    )


@pytest.mark.parametrize(
    ("delay", "seconds"), [("9999s", 60.0), ("-1s", 0.0), ("soon", None), (7, None), ("xs", None)]
)
def test_a_delay_is_believed_within_bounds(delay: Any, seconds: float | None) -> None:
    body = json.dumps(failure(429, "X", "m", {"retryDelay": delay})).encode()

    assert gemini.read_error(429, {}, body).retry_after_seconds == seconds


def test_a_bad_request_is_not_tried_elsewhere_but_a_wrong_key_is() -> None:
    bad = failure(400, "INVALID_ARGUMENT", "Unknown name")
    key = failure(400, "INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"})

    refused = gemini.read_error(400, {}, json.dumps(bad).encode())
    unknown = gemini.read_error(400, {}, json.dumps(key).encode())

    assert isinstance(refused, BadRequest)
    assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert isinstance(unknown, StatusError)
    assert unknown.status == 401


@pytest.mark.parametrize("body", [b"", b"<html>", b"7", b"[]", b'{"error": null}', b"{"])
def test_an_error_without_a_document_is_still_that_status(body: bytes) -> None:
    error = gemini.read_error(503, {}, body)

    assert isinstance(error, StatusError)
    assert error.status == 503


def test_an_error_inside_a_success_is_raised_with_its_message() -> None:
    with pytest.raises(UnusableAnswer, match="overloaded"):
        gemini.read_response([failure(503, "UNAVAILABLE", "overloaded")])
    with pytest.raises(BadRequest, match="Unknown name"):
        gemini.read_response(failure(400, "INVALID_ARGUMENT", "Unknown name"))
    with pytest.raises(UnusableAnswer, match="plain"):
        gemini.read_response({"error": "plain"})
