"""Embeddings: checked field by field, said in three dialects, told in OpenAI's shape."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.catalog import PROVIDERS, Provider
from providers.client import Limits
from providers.dialects import gemini_embeddings, openai_embeddings
from providers.dialects.cohere import embeddings as cohere_embeddings
from providers.embeddings import (
    EmbeddingRequest,
    EmbeddingResponse,
    bound_input,
    count_input,
    floats,
    packed,
    parse_request,
    write_response,
)
from providers.embeddings.client import EMBEDDING_DIALECTS, build, can_embed, embed
from providers.errors import BadRequest, StatusError, Unsupported, UnusableAnswer
from providers.pricing import Price, bound, cost
from providers.routing import Target
from providers.transport import HttpAnswer
from providers.types import Usage

ASKED: dict[str, Any] = {"model": "text-embedding-3-small", "input": "Hi"}
GEMINI = Provider("gemini", "gemini", "https://g", "K", "U", auth="x-goog-api-key")
VECTOR = [0.5, -1.25, 3.0]
PACKED = base64.b64encode(struct.pack("<3f", *VECTOR)).decode()


def target(name: str) -> Target:
    row = GEMINI if name == "gemini" else PROVIDERS[name]
    return Target(row, "m", "http://x", "k")


def said(name: str, **change: Any) -> tuple[str, Any, tuple[str, ...]]:
    """(path, body, dropped) of a caller's request at a provider."""
    built = build(parse_request({**ASKED, **change}), target(name))
    return built.path, json.loads(built.body), tuple(built.dropped)


@pytest.mark.parametrize(
    ("value", "inputs"),
    [
        ("Hi", ["Hi"]),
        (["Hi"], ["Hi"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2, 3], [[1, 2, 3]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        (["x"] * 2_048, ["x"] * 2_048),
    ],
    ids=lambda value: str(value)[:20],
)
def test_every_kind_of_input_is_a_list_of_inputs(value: Any, inputs: Any) -> None:
    assert parse_request({**ASKED, "input": value}).inputs == inputs


def test_a_request_keeps_what_it_says() -> None:
    request = parse_request(
        {
            **ASKED,
            "dimensions": 256,
            "encoding_format": "base64",
            "user": "u",
            "input_type": "search_query",
            "provider": "auto",
            "nothing": None,
        }
    )

    assert request == EmbeddingRequest(
        model="text-embedding-3-small",
        inputs=["Hi"],
        dimensions=256,
        encoding="base64",
        provider=None,
        options={"user": "u", "input_type": "search_query"},
    )


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": "a..b"}, "model"),
        ({"model": "a b"}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": {}}, "input"),
        ({"input": [""]}, "input"),
        ({"input": ["a", ""]}, "input.1"),
        ({"input": ["a", 1]}, "input.1"),
        ({"input": ["a", [1]]}, "input.1"),
        ({"input": [1, "a"]}, "input"),
        ({"input": [1, -1]}, "input"),
        ({"input": [1, True]}, "input"),
        ({"input": [1, 2**40]}, "input"),
        ({"input": [True]}, "input.0"),
        ({"input": [[1], []]}, "input.1"),
        ({"input": [[1], "a"]}, "input.1"),
        ({"input": [[1, 1.5]]}, "input.0"),
        ({"input": ["x"] * 2_049}, "input"),
        ({"input": [[1] * 200_000, [1] * 200_000]}, "input"),
        ({"input": [1] * 300_001}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": True}, "dimensions"),
        ({"dimensions": 1.5}, "dimensions"),
        ({"dimensions": 10**9}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"provider": "../etc"}, "provider"),
        ({"stream": True}, "stream"),
        ({"user": 2**60}, "user"),
        ({"api_base": "http://evil"}, "api_base"),
        ({"extra_headers": {}}, "extra_headers"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_bad_field_is_refused_by_its_name(change: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_request({**ASKED, **change})

    assert refused.value.param == param


@pytest.mark.parametrize("body", [None, [], "x", 7])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadRequest):
        parse_request(body)


def test_tokens_are_counted_over_all_inputs() -> None:
    texts = count_input(parse_request({**ASKED, "input": ["Hello world", "Hello world"]}))
    tokens = count_input(parse_request({**ASKED, "input": [[1, 2], [3]]}))

    assert (texts.tokens, texts.tokens_max, texts.is_exact) == (4, 4, True)
    assert (tokens.tokens, tokens.tokens_max) == (3, 3)


def test_an_unknown_model_s_bound_is_its_bytes_and_a_frame_for_each_input() -> None:
    count = count_input(parse_request({"model": "mistral-embed", "input": ["Köln", "Köln"]}))

    assert count.tokens <= count.tokens_max == 10 + 4
    assert not count.is_exact


@pytest.mark.parametrize("model", ["text-embedding-3-small", "mistral-embed", "sim-embed"])
@pytest.mark.parametrize("given", ["Köln \ud83d", ["a", "b c", "…"], [1, 2, 3], [[1], [2, 3]]])
def test_no_count_exceeds_the_bound_that_is_known_without_counting(model: str, given: Any) -> None:
    request = parse_request({"model": model, "input": given})

    assert count_input(request).tokens_max <= bound_input(request)


@pytest.mark.parametrize(("name", "is_able"), [("openai", True), ("anthropic", False)])
def test_a_row_whose_dialect_has_no_embeddings_cannot_embed(name: str, is_able: bool) -> None:
    assert can_embed(PROVIDERS[name]) is is_able


def test_an_embeddings_request_asks_for_no_output_and_no_stream() -> None:
    request = parse_request(ASKED)

    assert (request.max_tokens, request.stream) == (0, False)


def test_openai_gets_one_text_as_a_text_and_base64_if_the_caller_wants_it() -> None:
    assert said("openai", encoding_format="base64", dimensions=2, user="u") == (
        "/embeddings",
        {
            "model": "m",
            "input": "Hi",
            "dimensions": 2,
            "encoding_format": "base64",
            "user": "u",
        },
        (),
    )


def test_openai_gets_several_texts_or_tokens_as_a_list() -> None:
    assert said("openai", input=["a", "b"])[1] == {"model": "m", "input": ["a", "b"]}
    assert said("openai", input=[1, 2])[1] == {"model": "m", "input": [[1, 2]]}


def test_a_host_that_may_not_know_base64_is_asked_for_numbers() -> None:
    assert said("mistral", encoding_format="base64", dimensions=2)[1] == {
        "model": "m",
        "input": "Hi",
        "output_dimension": 2,
    }


def test_gemini_embeds_one_text_alone_and_several_in_a_batch() -> None:
    part = {"model": "models/m", "content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING"}

    one = said("gemini", input=["a"], task_type="CLUSTERING", dimensions=2, user="u")
    two = said("gemini", input=["a", "a"], task_type="CLUSTERING")

    assert one == (
        "/v1beta/models/m:embedContent",
        {**part, "outputDimensionality": 2},
        ("user",),
    )
    assert two == ("/v1beta/models/m:batchEmbedContents", {"requests": [part, part]}, ())


def test_cohere_embeds_documents_unless_the_caller_says_otherwise() -> None:
    path, body, dropped = said("cohere", encoding_format="base64", dimensions=2, user="u")

    assert path == "/v2/embed"
    assert body == {
        "model": "m",
        "texts": ["Hi"],
        "input_type": "search_document",
        "embedding_types": ["base64"],
        "output_dimension": 2,
    }
    assert dropped == ("user",)
    assert said("cohere", input_type="search_query")[1]["input_type"] == "search_query"


@pytest.mark.parametrize("name", ["gemini", "cohere"])
def test_tokens_are_refused_where_only_texts_are_known(name: str) -> None:
    with pytest.raises(Unsupported) as refused:
        said(name, input=[1, 2])

    assert refused.value.param == "input.0"


def test_cohere_takes_no_more_than_its_texts() -> None:
    with pytest.raises(Unsupported, match="96"):
        said("cohere", input=["x"] * 97)


@pytest.mark.parametrize("model", ["a/b", "m:generateContent", "models/a/b", ""])
def test_a_model_s_name_cannot_lead_elsewhere_at_gemini(model: str) -> None:
    with pytest.raises(Unsupported):
        gemini_embeddings.build_request(EmbeddingRequest("m", ["x"]), model=model, row=GEMINI)


def test_a_provider_without_embeddings_says_so() -> None:
    with pytest.raises(Unsupported):
        build(parse_request(ASKED), target("anthropic"))


OPENAI_ANSWER: dict[str, Any] = {
    "object": "list",
    "model": "m-1",
    "data": [
        {"object": "embedding", "index": 1, "embedding": PACKED},
        {"object": "embedding", "index": 0, "embedding": [1, 2.5]},
    ],
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


def test_openai_s_vectors_are_in_the_order_of_their_inputs() -> None:
    assert openai_embeddings.read_response(OPENAI_ANSWER) == EmbeddingResponse(
        "m-1", [[1, 2.5], PACKED], Usage(8)
    )


def test_gemini_s_vectors_are_read_from_either_answer() -> None:
    one = gemini_embeddings.read_response({"embedding": {"values": VECTOR}})
    two = gemini_embeddings.read_response(
        {"embeddings": [{"values": VECTOR}] * 2, "usageMetadata": {"promptTokenCount": 6}}
    )

    assert one == EmbeddingResponse("", [VECTOR], None)
    assert two == EmbeddingResponse("", [VECTOR, VECTOR], Usage(6))


def test_cohere_s_vectors_are_billed_by_their_billed_units() -> None:
    answer = {
        "id": "a",
        "embeddings": {"base64": [PACKED]},
        "meta": {"billed_units": {"input_tokens": 208.0}},
    }

    assert cohere_embeddings.read_response(answer) == EmbeddingResponse("", [PACKED], Usage(208))


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"prompt_tokens": 8, "total_tokens": 8}, Usage(8)),
        ({"total_tokens": 12}, Usage(12)),
        ({"prompt_tokens": 8, "prompt_audio_seconds": None}, Usage(8)),
        ({"prompt_tokens": 0}, Usage(0)),
        ({"prompt_tokens": -1}, None),
        ({"prompt_tokens": True}, None),
        ({"prompt_tokens": 1.5}, None),
        ({}, None),
        (None, None),
    ],
    ids=str,
)
def test_usage_is_input_alone_and_believed_where_it_can_be(usage: Any, read: Usage | None) -> None:
    assert openai_embeddings.read_response({**OPENAI_ANSWER, "usage": usage}).usage == read


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (openai_embeddings, []),
        (openai_embeddings, {}),
        (openai_embeddings, {"data": {}}),
        (openai_embeddings, {"data": [7]}),
        (openai_embeddings, {"data": [{"embedding": None}]}),
        (openai_embeddings, {"data": [{"embedding": []}]}),
        (openai_embeddings, {"data": [{"embedding": ["a"]}]}),
        (openai_embeddings, {"data": [{"embedding": [True]}]}),
        (openai_embeddings, {"data": [{"embedding": [1], "index": 1}]}),
        (openai_embeddings, {"data": [{"embedding": [1], "index": 0}] * 2}),
        (openai_embeddings, {"data": [{"embedding": [1], "index": 0}, {"embedding": [1]}]}),
        (openai_embeddings, {"error": {"message": "overloaded"}}),
        (gemini_embeddings, []),
        (gemini_embeddings, {}),
        (gemini_embeddings, {"embeddings": [7]}),
        (gemini_embeddings, {"embedding": {}}),
        (cohere_embeddings, []),
        (cohere_embeddings, {"embeddings": []}),
        (cohere_embeddings, {"embeddings": {"int8": [[1]]}}),
        (cohere_embeddings, {"embeddings": {"float": [None]}}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_body_that_is_no_answer_is_raised(dialect: Any, body: Any) -> None:
    with pytest.raises(UnusableAnswer):
        dialect.read_response(body)


def test_an_answer_is_told_as_openai_tells_it() -> None:
    written = write_response(EmbeddingResponse("m", [VECTOR, PACKED], Usage(8)), "float")

    assert written == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": VECTOR},
            {"object": "embedding", "index": 1, "embedding": VECTOR},
        ],
        "model": "m",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }


def test_an_answer_is_packed_where_the_caller_asked_for_it() -> None:
    written = write_response(EmbeddingResponse("m", [VECTOR, PACKED], Usage(8)), "base64")

    assert [each["embedding"] for each in written["data"]] == [PACKED, PACKED]


def test_what_was_charged_is_what_the_caller_reads() -> None:
    written = write_response(EmbeddingResponse("m", [VECTOR], None), "float", usage=Usage(7))

    assert written["usage"] == {"prompt_tokens": 7, "total_tokens": 7}


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=50))
def test_a_vector_of_32_bit_floats_comes_back_from_base64(vector: list[float]) -> None:
    assert floats(packed(vector)) == vector


@pytest.mark.parametrize("text", ["", "!!!!", "AAA=", "AAAAAAA="])
def test_base64_that_holds_no_floats_is_raised(text: str) -> None:
    with pytest.raises(UnusableAnswer):
        floats(text)


def test_a_number_beyond_32_bits_cannot_be_packed() -> None:
    with pytest.raises(UnusableAnswer):
        packed([1e300])


def test_an_embedding_costs_its_input_and_the_hold_covers_it() -> None:
    price = Price.from_row(1, "openai", "m", {"input_mtok": "0.02"}, 8_192, None)

    assert cost(Usage(1_000), price) == 20_000
    assert bound(price, 1_000).amount(0) >= 20_000


class Recorded:
    """A transport that answers with one document, and keeps what it was asked."""

    def __init__(self, status: int, document: Any) -> None:
        self.status, self.body = status, json.dumps(document).encode()
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    @asynccontextmanager
    async def send(
        self, url: str, *, headers: Mapping[str, str], **rest: Any
    ) -> AsyncIterator[HttpAnswer]:
        self.asked.append((url, headers))
        yield HttpAnswer(self.status, {}, self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield self.body

    async def close(self) -> None:
        pass


async def ask(name: str, transport: Recorded, **change: Any) -> EmbeddingResponse:
    request, at = parse_request({**ASKED, **change}), target(name)
    return await embed(request, build(request, at), at, transport, Limits(), "attempt")


async def test_a_call_goes_to_its_path_with_its_key_and_comes_back_with_a_model() -> None:
    transport = Recorded(200, {"embeddings": {"float": [VECTOR]}})

    response = await ask("cohere", transport)

    assert response == EmbeddingResponse("m", [VECTOR], None)
    [(url, headers)] = transport.asked
    assert url == "http://x/v2/embed"
    assert headers["authorization"] == "Bearer k"
    assert headers["x-tollgate-attempt"] == "attempt"


async def test_a_vector_too_few_is_no_answer() -> None:
    transport = Recorded(200, {"data": [{"index": 0, "embedding": VECTOR}]})

    with pytest.raises(UnusableAnswer, match="1 vectors for 2 inputs"):
        await ask("openai", transport, input=["a", "b"])


async def test_an_error_status_is_read_by_the_dialect() -> None:
    with pytest.raises(BadRequest, match="too long"):
        await ask("openai", Recorded(400, {"error": {"message": "too long"}}))
    with pytest.raises(StatusError):
        await ask("cohere", Recorded(503, {"message": "later"}))


@pytest.mark.parametrize("name", ["openai", "azure", "mistral", "ollama", "cohere", "gemini"])
def test_every_dialect_that_embeds_is_found_by_its_row(name: str) -> None:
    assert target(name).provider.dialect in EMBEDDING_DIALECTS


def test_openai_s_own_types_accept_what_is_written() -> None:
    written = write_response(EmbeddingResponse("m", [VECTOR], Usage(8)), "float")

    read = openai.types.CreateEmbeddingResponse.model_validate(written)

    assert read.data[0].embedding == VECTOR
    assert read.usage.prompt_tokens == 8
