"""Tokens of a text or of messages, by the counter of `tokens.py`. No network, ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import tokens as counter
from ..errors import BadRequest
from .raising import named_errors
from .record import plain


@named_errors()
def token_counter(
    model: str = "",
    *,
    text: str | Sequence[str] | None = None,
    messages: Sequence[Any] | None = None,
    tools: Sequence[Any] | None = None,
) -> int:
    """Tokens of `messages` (with what a message costs by itself) or of `text`.

    Exact for OpenAI's models; others are estimated by cl100k_base.
    """
    if messages is not None:
        return counter.count_messages(plain(list(messages)), plain(list(tools or ())), model).tokens
    if text is None:
        raise BadRequest("token_counter needs text or messages.", param="messages")
    name, _ = counter.encoding_name(model)
    texts = [text] if isinstance(text, str) else text
    return sum(counter.count_text(each, name) for each in texts)


def encode(model: str = "", text: str = "") -> list[int]:
    """Token ids; words that look like special tokens are text like any other."""
    name, _ = counter.encoding_name(model)
    return counter.encoding(name).encode_ordinary(text)


def decode(model: str = "", tokens: Sequence[int] = ()) -> str:
    """The text of token ids; raises KeyError for one that the encoding does not have."""
    name, _ = counter.encoding_name(model)
    return counter.encoding(name).decode(list(tokens))
