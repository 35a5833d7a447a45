"""`POST /api/chat`, by REST framework: a plain chat call for people and scripts."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import calls, guards
from .plain_chat import read_chat, write_usage
from .reading import read_json, read_tags


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
