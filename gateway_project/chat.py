"""`POST /api/chat`, by REST framework: a plain chat call for people and scripts."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from providers.dialects import openai_chat
from providers.errors import BadRequest
from providers.types import ChatRequest, Usage

from . import calls, guards
from .errors import InvalidRequest, of_bad_request
from .reading import read_json, read_tags

FIELDS = {"model", "messages", "max_tokens", "temperature", "provider"}


class UsageAnswer(serializers.Serializer[Any]):
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()


class ChatAnswer(serializers.Serializer[Any]):
    """What `/api/chat` answers."""

    id = serializers.CharField()
    content = serializers.CharField(allow_blank=True)
    model = serializers.CharField()
    provider = serializers.CharField()
    usage = UsageAnswer()
    cost_nanos = serializers.IntegerField()


class ChatView(APIView):
    parser_classes = ()

    def post(self, request: Request) -> Response:
        bearer = guards.bearer(request.headers.get("authorization", ""))
        async_to_sync(calls.check)(bearer)
        document = read_json(request._request.body, request.content_type or "")
        chat = read_chat(document, is_stream=False)
        tags = read_tags(request.headers.get("x-tollgate-tags", ""))
        response, receipt = async_to_sync(calls.whole)(chat, bearer, tags)
        answer = {
            "id": response.id,
            "content": response.content,
            "model": receipt.model,
            "provider": receipt.provider,
            "usage": write_usage(receipt.usage),
            "cost_nanos": receipt.cost_nanos,
        }
        return Response(ChatAnswer(answer).data, headers=receipt.headers())


def read_chat(document: Any, *, is_stream: bool) -> ChatRequest:
    """The body of `/api/chat` and `/api/chat/stream`; raises InvalidRequest naming the field."""
    if isinstance(document, dict):
        for name in document:
            if name not in FIELDS:
                raise InvalidRequest(
                    f"Unknown field {name[:100]!r}.", param=name[:100], code="unknown_parameter"
                )
        document = {**document, "stream": is_stream}
    try:
        return openai_chat.parse_request(document)
    except BadRequest as error:
        raise of_bad_request(error) from error


def write_usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
