"""The requests that are sent: prose of a given size, in the body of either wire. Pure.

The prose is made of counted sentences, so that no two parts of it are alike and a tokenizer has
real work; the same size always gives the same bytes.
"""

from __future__ import annotations

import json
from typing import Any, Literal

Size = Literal["1k", "10k", "400k"]
SIZES: dict[Size, int] = {"1k": 1_000, "10k": 10_000, "400k": 400_000}

SYSTEM = (
    "You answer questions about running systems. Be exact, say what you do not know, and keep "
    "every answer under two hundred words."
)
SENTENCES = (
    "Host {0} opened {1} connections in the morning and kept {2} of them until noon.",
    "When traffic doubled, the queue in front of database {2} grew to {0} entries.",
    "The team measured a wait of {1} milliseconds and asked which bound would be right.",
    "A worker on shelf {0} gave its connection back too late in {2} of {1} cases.",
    "Explain in plain words what happens to request {1} when the pool of {0} is empty.",
)


def prose(size_bytes: int) -> str:
    """ASCII text of just so many bytes."""
    parts: list[str] = []
    length = number = 0
    while length < size_bytes:
        sentence = SENTENCES[number % len(SENTENCES)]
        text = sentence.format(number * 7 % 97, number * 31 % 1009, number * 13 % 53) + " "
        parts.append(text)
        length += len(text)
        number += 1
    return "".join(parts)[:size_bytes]


def body(
    model: str, size: Size, *, stream: bool = False, wire: str = "openai", max_tokens: int = 512
) -> bytes:
    """The JSON of one request; `size` counts the prompt, system text included."""
    text = prose(SIZES[size] - len(SYSTEM))
    question = {"role": "user", "content": text}
    document: dict[str, Any] = {"model": model, "max_tokens": max_tokens}
    if wire == "anthropic":
        document |= {"system": SYSTEM, "messages": [question]}
    else:
        document |= {"messages": [{"role": "system", "content": SYSTEM}, question]}
    if stream:
        document["stream"] = True
    if stream and wire == "openai":
        document["stream_options"] = {"include_usage": True}
    return json.dumps(document, separators=(",", ":")).encode()
