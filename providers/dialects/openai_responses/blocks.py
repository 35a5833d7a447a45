"""Items that chat has no words for: they travel in a message's `thinking_blocks`, unchanged.

Reasoning of a provider that signs its thinking travels the other way: as a reasoning item whose
`encrypted_content` holds the provider's own block, so that a caller who echoes the item gives the
block back unchanged.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from ...errors import BadRequest
from ...types import Json
from ..urls import check_image

CARRIED = "tollgate.thinking.1."
THINKING = frozenset({"thinking", "redacted_thinking"})
# Items that a Responses provider reads back as they were: its own thoughts, and the calls and
# results of tools that run at the caller.
BLOCKS = frozenset(
    {
        "reasoning",
        "compaction",
        "web_search_call",
        "computer_call",
        "computer_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
    }
)


def check_block(item: Json, where: str) -> None:
    """Raise BadRequest for a block that leads to a file or into a private network."""
    if item["type"] == "reasoning" and not isinstance(item.get("summary", []), list):
        raise BadRequest(f"{where}.summary must be a list.", param=f"{where}.summary")
    output = item.get("output")
    if item["type"] == "computer_call_output":
        if not isinstance(output, Mapping) or output.get("file_id"):
            raise BadRequest(f"{where}.output must have an image_url.", param=f"{where}.output")
        check_image(output.get("image_url"), f"{where}.output")


def carry(block: Json, item_id: str) -> dict[str, Any]:
    """A provider's thinking block as a reasoning item."""
    text = block.get("thinking")
    data = base64.urlsafe_b64encode(orjson.dumps(block)).decode()
    return {
        "id": item_id,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if text else [],
        "encrypted_content": CARRIED + data,
    }


def uncarry(item: Json, where: str) -> Json:
    """The block that a reasoning item carries, else the item itself; raises BadRequest."""
    content = item.get("encrypted_content")
    if not isinstance(content, str) or not content.startswith(CARRIED):
        return item
    try:
        block = orjson.loads(base64.urlsafe_b64decode(content.removeprefix(CARRIED)))
    except (binascii.Error, ValueError) as error:
        raise _damaged(where) from error
    if not isinstance(block, Mapping) or block.get("type") not in THINKING:
        raise _damaged(where)
    return block


def _damaged(where: str) -> BadRequest:
    return BadRequest(f"{where}.encrypted_content is damaged.", param=f"{where}.encrypted_content")
