"""Thought signatures: what a Gemini model wants back, unchanged, with what it said before.

https://ai.google.dev/gemini-api/docs/thought-signatures, 2026-11. A signature stands on a part of
an answer. In OpenAI's shape it rides as `extra_content.google.thought_signature`, which is where
Gemini's own OpenAI-compatible API puts it (https://ai.google.dev/gemini-api/docs/openai, 2026-11):

| signed part | carried by |
|---|---|
| functionCall | the tool call |
| text | the message |
| thought | a block of `thinking_blocks` |

From generation 3 on, a step of function calls without any signature is refused. Calls that another
model made have none: the first of them gets the text that the page above names for this.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

UNSIGNED = base64.b64encode(b"skip_thought_signature_validator").decode()


def read_signature(carrier: Mapping[str, Any]) -> str | None:
    """The signature that a tool call, a message or a thinking block carries."""
    extra = carrier.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    signature = google.get("thought_signature") if isinstance(google, Mapping) else None
    return signature if isinstance(signature, str) and signature else None


def carried(part: Mapping[str, Any]) -> dict[str, Any]:
    """What carries the signature of an answer's part; empty where it has none."""
    signature = part.get("thoughtSignature")
    if not isinstance(signature, str) or not signature:
        return {}
    return {"extra_content": {"google": {"thought_signature": signature}}}


def signed(part: dict[str, Any], carrier: Mapping[str, Any]) -> dict[str, Any]:
    """The part as it was when the model said it."""
    signature = read_signature(carrier)
    return part if signature is None else {**part, "thoughtSignature": signature}
