"""A recorded Responses call through our own surface, in front of the provider that was recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from providers.dialects import openai_responses
from providers.types import ChatChunk


def written_difference(
    asked: Mapping[str, Any], meant: Mapping[str, Any], chunks: Sequence[ChatChunk] | None
) -> str | None:
    """How what we pass on differs from what was asked, or what we answer from what was answered.

    `chunks` are those of a stream, None for a whole answer; the answer None means no difference.
    """
    request = openai_responses.parse_request(asked)
    built = json.loads(openai_responses.build_request(request, model="m").body)
    given = asked["input"]
    if isinstance(given, list) and _items(built["input"]) != _items(given):
        return f"input {built['input']!r} is not {given!r}"
    if chunks is None:
        response = openai_responses.read_response(meant)
        told = openai_responses.write_response(response, request, response_id="resp_1")
    else:
        writer = openai_responses.StreamWriter(request, response_id="resp_1")
        for chunk in chunks:
            writer.write(chunk)
        told = writer.finish(None)[-1]["response"]
    same = told["output"] == meant["output"]
    return None if same else f"output {told['output']!r} is not {meant['output']!r}"


def _items(items: Sequence[Mapping[str, Any]]) -> list[Any]:
    names = ("type", "call_id", "arguments", "output", "encrypted_content")
    return [
        ({"type": "message"} | {name: item[name] for name in names if item.get(name)}, _texts(item))
        for item in items
    ]


def _texts(item: Mapping[str, Any]) -> list[str]:
    content = item.get("content") or ()
    return [content] if isinstance(content, str) else [part["text"] for part in content]
