"""Options, tools and efforts in Gemini's words: said, refused by name, or named as dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from providers.dialects import gemini, openai_chat
from providers.errors import BadRequest
from tests.providers.test_gemini_requests import MODEL, TURN, built, sent
from tests.providers.test_requests import BODY

TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "F", "parameters": {"type": "object", "$defs": {}}},
}


def config(body: dict[str, Any], model: str = MODEL) -> Any:
    return sent(body, model).get("generationConfig")


def test_tools_go_with_their_whole_schema() -> None:
    bare = {"type": "function", "function": {"name": "g"}}

    assert sent({"tools": [TOOL, bare]})["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "F",
                    "parametersJsonSchema": {"type": "object", "$defs": {}},
                },
                {"name": "g"},
            ]
        }
    ]


ALLOWED = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (ALLOWED[0], {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": ALLOWED}},
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": ALLOWED}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
    ids=str,
)
def test_a_tool_choice_is_said_in_modes(choice: Any, expected: Any) -> None:
    body = sent({"tools": [TOOL], "tool_choice": choice})

    assert body["toolConfig"] == {"functionCallingConfig": expected}


def test_a_choice_among_no_tools_is_refused_unless_it_is_none() -> None:
    assert sent({"tool_choice": "none"}) == {"contents": [TURN]}
    with pytest.raises(BadRequest):
        built({"tool_choice": "required"})


def test_options_have_their_place_in_the_configuration() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    options = {
        "max_tokens": 9,
        "temperature": 2,
        "top_p": 0.5,
        "top_k": 3,
        "n": 2,
        "stop": ["a", "", "\n"],
        "seed": 7,
        "presence_penalty": 1,
        "frequency_penalty": -1,
        "logprobs": True,
        "top_logprobs": 4,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    }

    request = built(options)

    assert request.dropped == ()
    assert json.loads(request.body)["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 2,
        "topP": 0.5,
        "topK": 3,
        "candidateCount": 2,
        "stopSequences": ["a", "\n"],
        "seed": 7,
        "presencePenalty": 1,
        "frequencyPenalty": -1,
        "responseLogprobs": True,
        "logprobs": 4,
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    assert config({"response_format": {"type": "json_object"}}) == {
        "responseMimeType": "application/json"
    }
    assert config({"stop": "a", "response_format": {"type": "text"}}) == {"stopSequences": ["a"]}


@pytest.mark.parametrize(
    ("option", "model", "expected"),
    [
        ({"reasoning_effort": "none"}, MODEL, {"thinkingBudget": 0}),
        ({"reasoning_effort": "none"}, "gemini-2.5-pro", {"thinkingBudget": 128}),
        ({"reasoning_effort": "none"}, "gemini-3-flash", {"thinkingLevel": "MINIMAL"}),
        ({"reasoning_effort": "none"}, "gemini-3-pro-preview", {"thinkingLevel": "LOW"}),
        ({"reasoning_effort": "low"}, MODEL, {"includeThoughts": True, "thinkingBudget": 1024}),
        (
            {"reasoning_effort": "high"},
            "gemini-flash-latest",
            {"includeThoughts": True, "thinkingLevel": "HIGH"},
        ),
        (
            {"reasoning_effort": "minimal"},
            "gemini-3-pro-preview",
            {"includeThoughts": True, "thinkingLevel": "LOW"},
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            MODEL,
            {"includeThoughts": True, "thinkingBudget": 2000},
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            "gemini-3-flash",
            {"includeThoughts": True, "thinkingLevel": "MEDIUM"},
        ),
        ({"thinking": {"type": "disabled"}}, MODEL, {"thinkingBudget": 0}),
        ({"thinking": {"type": "adaptive"}}, MODEL, {"includeThoughts": True}),
    ],
    ids=str,
)
def test_effort_is_said_in_the_words_of_the_models_generation(
    option: dict[str, Any], model: str, expected: dict[str, Any]
) -> None:
    assert config(option, model) == {"thinkingConfig": expected}


def test_what_has_no_words_is_dropped_and_named() -> None:
    options = {
        "logit_bias": {},
        "user": "u",
        "seed": 2**31,
        "parallel_tool_calls": False,
        "service_tier": "flex",
    }

    request = built(options)

    assert request.dropped == ("logit_bias", "parallel_tool_calls", "seed", "service_tier", "user")
    assert json.loads(request.body) == {"contents": [TURN]}


@pytest.mark.parametrize(
    ("option", "param"),
    [
        ({"stop": list("abcdef")}, "stop"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
    ],
    ids=str,
)
def test_what_would_change_the_meaning_is_refused_by_name(
    option: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        built(option)

    assert refused.value.param == param


@settings(max_examples=150)
@given(BODY)
def test_any_body_is_built_or_refused_but_never_breaks(body: dict[str, Any]) -> None:
    try:
        request = openai_chat.parse_request(body)
        json.loads(gemini.build_request(request, model=MODEL).body)
    except BadRequest:
        return
