"""Token counts: the vendor's own for known models, a bound for all others, and no way to break."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import tokens
from providers.tokens import count_messages, count_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("お誕生日おめでとう", 8)],
    ids=str,
)
def test_known_texts_have_their_known_counts(text: str, expected: int) -> None:
    assert count_text(text, "o200k_base") == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", ("o200k_base", True)),
        ("gpt-4.1-mini", ("o200k_base", True)),
        ("o3", ("o200k_base", True)),
        ("gpt-4", ("cl100k_base", True)),
        ("gpt-3.5-turbo", ("cl100k_base", True)),
        ("claude-sonnet-4-5", ("cl100k_base", False)),
        ("openai/gpt-4o", ("o200k_base", True)),
    ],
    ids=str,
)
def test_every_model_has_an_encoding_and_says_if_it_is_its_own(
    model: str, expected: tuple[str, bool]
) -> None:
    assert tokens.encoding_name(model) == expected


def test_special_tokens_in_a_prompt_are_text() -> None:
    assert count_text("<|endoftext|>") > 1


@pytest.mark.parametrize(
    "text", ["a" * 300_000, " " * 300_000, "\ud800", "é" * 200_000], ids=["a", " ", "lone", "é"]
)
def test_a_hostile_text_is_bounded_by_its_bytes(text: str) -> None:
    assert 1 <= count_text(text) <= len(text.encode("utf-8", "replace"))


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_a_count_is_never_more_than_the_bytes(text: str) -> None:
    assert count_text(text) <= len(text.encode("utf-8", "replace"))


def test_a_conversation_counts_three_a_message_and_three_for_the_reply() -> None:
    messages = [{"role": "user", "content": "hello world"}]

    count = count_messages(messages, [], "gpt-4o")

    assert (count.tokens, count.is_exact) == (3 + 1 + 2 + 3, True)


def test_a_model_without_a_public_encoding_is_bounded_by_bytes() -> None:
    messages = [{"role": "user", "content": "hello world " * 100}]

    count = count_messages(messages, [], "claude-sonnet-4-5")

    assert not count.is_exact
    assert count.tokens < count.tokens_max
    assert count.tokens_max >= 1_200


def test_tools_and_images_count_too() -> None:
    messages = [{"role": "user", "content": "hi"}]
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    plain = count_messages(messages, [], "gpt-4o").tokens_max

    assert count_messages(messages, [{"type": "function"}], "gpt-4o").tokens_max > plain
    seen = count_messages([{"role": "user", "content": [image]}], [], "gpt-4o")
    assert seen.tokens_max > 1_000


def test_a_damaged_encoding_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = tokens.FILES["cl100k_base"]
    monkeypatch.setitem(tokens.FILES, "cl100k_base", (file, "0" * 64))
    tokens.encoding.cache_clear()
    with pytest.raises(tokens.EncodingDamaged):
        tokens.encoding("cl100k_base")
    tokens.encoding.cache_clear()
