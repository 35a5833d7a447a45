"""Input tokens of an embeddings call, and a bound to hold money by."""

from __future__ import annotations

import re

from ..tokens import InputCount, count_text, encoding_name, size_bytes
from .types import EmbeddingRequest

# https://github.com/openai/tiktoken/blob/main/tiktoken/model.py, 2026-11
OPENAI = re.compile(r"text-embedding-(ada-002|3-small|3-large)")


FRAME_TOKENS = 2  # some providers frame each input with tokens of their own


def bound_input(request: EmbeddingRequest) -> int:
    """More tokens than all inputs can have, without counting: a text has no more than bytes."""
    sizes = (size_bytes(each) if isinstance(each, str) else len(each) for each in request.inputs)
    return sum(sizes) + FRAME_TOKENS * len(request.inputs)


def count_input(request: EmbeddingRequest) -> InputCount:
    """Tokens of all inputs together; inputs that come as tokens are counted as they are.

    Of a model whose encoding is not known, a text can have no more tokens than bytes.
    """
    name, is_exact = encoding_name(request.model)
    if OPENAI.match(request.model.rpartition("/")[2]):
        name, is_exact = "cl100k_base", True
    texts = [each for each in request.inputs if isinstance(each, str)]
    given = sum(len(each) for each in request.inputs if not isinstance(each, str))
    tokens = given + sum(count_text(text, name) for text in texts)
    if is_exact:
        return InputCount(tokens, tokens, name, True)
    return InputCount(tokens, max(tokens, bound_input(request)), name, False)
