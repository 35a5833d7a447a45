"""Events in OpenAI's own words go on as they came, and mean what a closer look says they mean."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.openai_chat import StreamReader, read_response, write_chunk
from providers.errors import StreamError
from providers.sse import SseEvent
from providers.types import ChatChunk, Usage

ENVELOPE = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1_760_000_000,
    "model": "gpt-4o",
    "system_fingerprint": "fp_1",
}


def text_of(content: str, **more: Any) -> str:
    choice = {"index": 0, "delta": {"content": content}, "logprobs": None, "finish_reason": None}
    return orjson.dumps({**ENVELOPE, "choices": [choice], **more}).decode()


def read(*texts: str) -> list[ChatChunk]:
    reader = StreamReader()
    return [chunk for text in texts for chunk in reader.feed(SseEvent("", text))]


def seen(chunk: ChatChunk, *, include_usage: bool = False) -> Any:
    written = write_chunk(chunk, include_usage=include_usage)
    return None if written is None else orjson.loads(written)


def test_an_event_goes_on_byte_by_byte() -> None:
    texts = [text_of("a"), text_of("b"), text_of('"usage"'), text_of("}\n")]
    written = [write_chunk(chunk, include_usage=False) for chunk in read(*texts)]
    assert written == [text.encode() for text in texts]


def test_the_empty_usage_of_each_event_is_shown_to_those_who_asked_for_usage() -> None:
    chunks = read(*[text_of(word, usage=None) for word in ("a", "b", 'say "usage":null twice')])
    for chunk, word in zip(chunks, ("a", "b", 'say "usage":null twice'), strict=True):
        asked, not_asked = seen(chunk, include_usage=True), seen(chunk)
        assert asked["usage"] is None
        assert "usage" not in not_asked
        assert {**not_asked, "usage": None} == asked
        assert not_asked["choices"][0]["delta"] == {"content": word}


def test_a_caller_who_asked_for_usage_sees_the_field_where_the_provider_left_it_out() -> None:
    for chunk in read(text_of("a"), text_of("b")):
        assert seen(chunk, include_usage=True) == {**seen(chunk), "usage": None}


def test_padding_of_another_length_with_each_event_goes_on_with_it() -> None:
    chunks = read(*[text_of(word, obfuscation="x" * at) for at, word in enumerate("abc", 1)])
    assert [seen(chunk)["obfuscation"] for chunk in chunks] == ["x", "xx", "xxx"]


def test_what_comes_after_plain_text_is_looked_at() -> None:
    finish = {**ENVELOPE, "choices": [{"index": 0, "delta": {}, "finish_reason": "eos"}]}
    said = {"prompt_tokens": 3, "completion_tokens": 2}
    inside = {**ENVELOPE, "choices": [{"index": 0, "delta": {"content": "!"}, "usage": said}]}
    last = {**ENVELOPE, "choices": [], "usage": said}
    chunks = read(
        text_of("a"),
        text_of("b"),
        *[orjson.dumps(each).decode() for each in (finish, inside, last)],
        "[DONE]",
    )
    assert [chunk.usage for chunk in chunks] == [None, None, None, Usage(3, 2), Usage(3, 2), None]
    assert seen(chunks[2])["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1].is_last


@pytest.mark.parametrize("reason", [{"type": "stop"}, ["stop"], 1, ""])
def test_a_finish_reason_that_is_no_word_is_none(reason: Any) -> None:
    said = {"index": 0, "finish_reason": reason}
    [chunk] = read(orjson.dumps({**ENVELOPE, "choices": [{**said, "delta": {}}]}).decode())
    message = {"role": "assistant", "content": "a"}
    whole = read_response({**ENVELOPE, "choices": [{**said, "message": message}]})
    assert chunk.choices[0]["finish_reason"] is None
    assert whole.choices[0]["finish_reason"] is None


@pytest.mark.parametrize("name", ["", "error"])
def test_an_error_after_plain_text_is_raised(name: str) -> None:
    reader = StreamReader()
    reader.feed(SseEvent("", text_of("a")))
    reader.feed(SseEvent("", text_of("b")))
    body = text_of("c") if name else orjson.dumps({"error": {"message": "worn out"}}).decode()
    with pytest.raises(StreamError):
        reader.feed(SseEvent(name, body))


CONTENTS = st.one_of(st.text(max_size=8), st.sampled_from(['"usage":null', ',"usage":null', "}"]))
DELTAS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"content": CONTENTS}),
    st.fixed_dictionaries({"content": st.none()}),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": CONTENTS}),
    st.fixed_dictionaries({"reasoning": CONTENTS}),
    st.just({}),
)
CHOICES = st.lists(
    st.fixed_dictionaries(
        {"index": st.sampled_from([0, 1, None]), "delta": DELTAS},
        optional={
            "finish_reason": st.sampled_from([None, "stop", "eos"]),
            "message": st.just({"content": "all of it"}),
            "usage": st.just({"prompt_tokens": 1, "completion_tokens": 1}),
        },
    ),
    max_size=2,
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"choices": CHOICES},
        optional={
            "usage": st.sampled_from([None, {"prompt_tokens": 4, "completion_tokens": 2}]),
            "obfuscation": st.text(max_size=3),
            "id": st.sampled_from(["chatcmpl-1", "chatcmpl-2"]),
            "service_tier": st.sampled_from(["default", "flex"]),
        },
    ),
    min_size=1,
    max_size=6,
)


@given(events=EVENTS, include_usage=st.booleans())
def test_the_short_way_says_what_the_long_way_says(
    events: list[dict[str, Any]], include_usage: bool
) -> None:
    quick, careful = StreamReader(), StreamReader()
    for event in events:
        said = SseEvent("", orjson.dumps({**ENVELOPE, **event}).decode())
        careful._rest = None  # looks at all of it, every time
        [one], [other] = quick.feed(said), careful.feed(said)
        assert (one.choices, one.usage, one.id) == (other.choices, other.usage, other.id)
        found = seen(one, include_usage=include_usage), seen(other, include_usage=include_usage)
        assert found[0] == found[1]
        if other.choices:
            assert ("usage" in found[0]) is include_usage
