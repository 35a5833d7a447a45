"""Requests to Gemini: where they go, and what their messages become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.catalog import PROVIDERS
from providers.dialects import gemini, openai_chat
from providers.errors import BadRequest, Unsupported
from providers.routing import choose
from providers.types import HttpRequest

MODEL = "gemini-2.5-flash"
HELLO: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
TURN = {"role": "user", "parts": [{"text": "Hi"}]}
UNSIGNED = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="


def built(body: dict[str, Any], model: str = MODEL) -> HttpRequest:
    return gemini.build_request(openai_chat.parse_request({**HELLO, **body}), model=model)


def sent(body: dict[str, Any], model: str = MODEL) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(built(body, model).body)
    return document


def call(call_id: str, name: str = "f", arguments: str = "{}", **extra: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **extra}


def carried(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}}


def test_a_question_goes_to_the_model_of_the_path_and_a_stream_asks_for_events() -> None:
    whole, stream = built({}), built({"stream": True})

    assert whole.path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert stream.path == "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert json.loads(whole.body) == json.loads(stream.body) == {"contents": [TURN]}
    assert stream.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    "model",
    [
        "",
        "..",
        "a/b",
        "a:countTokens",
        "a?key=1",
        "a#b",
        "a%2Fb",
        "a\n",
        "-a",
        "tunedModels/a",
        "é",
    ],
)
def test_no_model_name_changes_the_path(model: str) -> None:
    with pytest.raises(Unsupported) as refused:
        built({}, model)

    assert (refused.value.code, refused.value.status) == ("model_not_found", 404)


def test_the_prefix_that_google_gives_its_models_is_understood() -> None:
    assert built({}, "models/gemini-3-pro").path == "/v1beta/models/gemini-3-pro:generateContent"


def test_the_key_stands_in_a_header_only() -> None:
    provider = PROVIDERS["gemini"]
    path, headers = provider.models_request("secret")

    assert provider.headers("secret") == headers == {"x-goog-api-key": "secret"}
    assert path == "/v1beta/models?pageSize=1000"
    assert provider.base_url == "https://generativelanguage.googleapis.com"
    assert (provider.key_variable, provider.url_variable) == ("GEMINI_API_KEY", "GEMINI_BASE_URL")


def test_the_name_alone_leads_to_gemini() -> None:
    assert choose("gemini-2.5-pro", None) == ("gemini", "gemini-2.5-pro")
    assert choose("gemini/gemini-2.5-pro", None) == ("gemini", "gemini-2.5-pro")


def test_system_messages_are_lifted_out_and_turns_of_one_speaker_merged() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "One"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Two"}, {"type": "text", "text": ""}],
        },
        {"role": "developer", "content": "Be short."},
    ]

    body = sent({"messages": messages})

    assert body["systemInstruction"] == {"parts": [{"text": "Be kind."}, {"text": "Be short."}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "."}]},
        {"role": "model", "parts": [{"text": "Hello"}]},
        {"role": "user", "parts": [{"text": "One"}, {"text": "Two"}]},
    ]


def test_parallel_calls_are_one_turn_and_their_results_the_next_by_name() -> None:
    messages = [
        {"role": "user", "content": "Go"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call("c1", "f", '{"a": 1}'), call("c2", "g", "")],
        },
        {"role": "tool", "tool_call_id": "c2", "content": '{"b": 2}'},
        {"role": "user", "content": "and?"},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
    ]

    _, said, heard = sent({"messages": messages})["contents"]

    assert said == {
        "role": "model",
        "parts": [
            {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
            {"functionCall": {"id": "c2", "name": "g", "args": {}}},
        ],
    }
    assert heard == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "c2", "name": "g", "response": {"output": '{"b": 2}'}}},
            {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "one"}}},
            {"text": "and?"},
        ],
    }


def test_a_picture_that_a_tool_gives_stands_beside_its_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    content = [{"type": "text", "text": "see"}, image]
    messages = [
        {"role": "assistant", "tool_calls": [call("c1")]},
        {"role": "tool", "tool_call_id": "c1", "content": content},
    ]

    [part] = sent({"messages": messages})["contents"][-1]["parts"]

    assert part["functionResponse"] == {
        "id": "c1",
        "name": "f",
        "response": {"output": "see"},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}],
    }


def test_signatures_go_back_unchanged_to_the_part_that_they_came_with() -> None:
    thought = {"type": "thinking", "thinking": "Hm", **carried("s0")}
    foreign = {"type": "thinking", "thinking": "Ha", "signature": "of another provider"}
    message = {
        "role": "assistant",
        "content": "Well",
        "thinking_blocks": [thought, foreign],
        "tool_calls": [call("c1", **carried("s2==")), call("c2")],
        **carried("s1"),
    }

    _, said = sent({"messages": [*HELLO["messages"], message]}, "gemini-3-pro")["contents"]

    assert said["parts"] == [
        {"text": "Hm", "thought": True, "thoughtSignature": "s0"},
        {"text": "Well", "thoughtSignature": "s1"},
        {"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "s2=="},
        {"functionCall": {"id": "c2", "name": "f", "args": {}}},
    ]


@pytest.mark.parametrize(("model", "expected"), [("gemini-3-flash", UNSIGNED), (MODEL, None)])
def test_calls_of_another_model_pass_where_signatures_are_wanted(
    model: str, expected: str | None
) -> None:
    calls = {"role": "assistant", "tool_calls": [call("c1"), call("c2")]}

    _, said = sent({"messages": [*HELLO["messages"], calls]}, model)["contents"]

    assert [part.get("thoughtSignature") for part in said["parts"]] == [expected, None]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/cat.JPG?x=1"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/cat.JPG?x=1"}},
        ),
        (
            {"type": "image_url", "image_url": "https://example.com/cat"},
            {"fileData": {"fileUri": "https://example.com/cat"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
            {"inlineData": {"mimeType": "audio/mp3", "data": "QUJD"}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "QUJD"}},
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
            },
            {"inlineData": {"mimeType": "application/pdf", "data": "QUJD"}},
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/a.pdf"}},
        ),
        ({"type": "document", "source": {"type": "text", "data": "Words"}}, {"text": "Words"}),
        ({"type": "refusal", "refusal": "No."}, {"text": "No."}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_media_go_as_bytes_or_as_addresses(part: dict[str, Any], expected: Any) -> None:
    assert sent({"messages": [{"role": "user", "content": [part]}]})["contents"][0]["parts"] == [
        expected
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video", "video": {}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file"},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "tape"}},
        {"type": "input_audio", "input_audio": {"format": "wav"}},
        {"type": "image_url", "image_url": {"url": "data:image/png,raw"}},
        {"type": "document", "source": {"type": "url", "url": "http://169.254.169.254/a.pdf"}},
        {"type": "image", "source": "QUJD"},
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_read_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        built({"messages": [{"role": "user", "content": [part]}]})


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([{"role": "tool", "tool_call_id": "c9", "content": "x"}], "No earlier message calls"),
        ([{"role": "assistant", "tool_calls": [call("c1", arguments="[1]")]}], "tool call c1"),
        ([{"role": "assistant", "tool_calls": [call("c1", arguments="{")]}], "tool call c1"),
        ([{"role": "function", "name": "f", "content": "x"}], "Say tool messages"),
        ([{"role": "assistant", "function_call": {"name": "f"}}], "Say tool_calls"),
    ],
)
def test_a_conversation_that_cannot_be_told_is_refused(messages: list[Any], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        built({"messages": messages})
