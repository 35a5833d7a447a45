"""Answers are objects and dicts at once, light and plain."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from providers.sdk.record import Record, plain, record
from tests.sdk.asked import pieces, whole


def test_attributes_and_keys_say_the_same() -> None:
    answer = whole("sim-echo")

    assert answer["choices"][0]["message"]["content"] == answer.choices[0].message.content
    assert answer.get("usage")["total_tokens"] == answer.usage.total_tokens == 17
    assert answer.get("nothing", "else") == "else"
    assert "usage" in answer
    assert "_hidden_params" not in answer


def test_an_answer_is_plain_json_when_asked() -> None:
    answer = whole("sim-echo")

    dumped = answer.model_dump()
    assert dumped == answer.json() == answer.dict() == json.loads(answer.model_dump_json())
    assert dumped["choices"][0]["message"] == {"role": "assistant", "content": "Grüße aus Köln"}
    assert set(dumped) == {"id", "object", "created", "model", "choices", "usage"}
    assert {**answer.choices[0].message} == dumped["choices"][0]["message"]


def test_a_chunk_is_plain_json_when_asked() -> None:
    assert pieces("sim-echo")[0].model_dump()["choices"][0]["delta"]["role"] == "assistant"


def test_what_was_not_sent_reads_as_none_and_what_cannot_be_raises() -> None:
    message = whole("sim-echo").choices[0].message

    assert message.tool_calls is None
    assert message["tool_calls"] is None
    assert "tool_calls" not in message
    with pytest.raises(AttributeError, match="Message has no 'colour'"):
        _ = message.colour
    for name in ("colour", "keys", "_data"):
        with pytest.raises(KeyError):
            _ = message[name]


def test_an_answer_can_be_changed_copied_and_pickled() -> None:
    message = whole("sim-echo").choices[0].message

    message["content"] = "other"
    message.note = 1
    twin = copy.deepcopy(message)
    back = pickle.loads(pickle.dumps(message))

    assert twin == back == message
    assert (twin.content, back["note"]) == ("other", 1)
    del message["note"]
    assert twin != message


def test_foreign_json_becomes_records_all_the_way_down() -> None:
    made = record({"content": [{"token": "a", "logprob": -0.5}]})

    assert made.content[0].logprob == -0.5
    assert plain(made) == {"content": [{"token": "a", "logprob": -0.5}]}
    assert len(Record(a=1, b=2)) == 2
    assert list(Record(a=1, b=2)) == ["a", "b"]
    assert repr(Record(a=1)) == "Record(a=1)"


def test_response_ms_and_cost_are_beside_the_data() -> None:
    answer = whole("sim-echo")

    assert answer.response_ms > 0
    assert "response_ms" not in answer.model_dump()
    assert answer._hidden_params.get("response_cost") == 4.8e-06
    assert answer._hidden_params.get("nothing") is None
