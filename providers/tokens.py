"""Token counts by tiktoken, from encodings that ship with this package. No network, ever.

Counting is bounded: a text beyond TEXT_BYTES_MAX, or one that tiktoken cannot take, is not
tokenised but bounded by its bytes, since a token is never shorter than a byte.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import tiktoken

FOLDER = Path(__file__).parent / "encodings"
FILES = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
FALLBACK = "cl100k_base"
TEXT_BYTES_MAX = 256 * 1024
WORD_MAX = 10_000
LONG_RUN = re.compile(rf"\S{{{WORD_MAX},}}|\s{{{WORD_MAX},}}")
NEW_OPENAI = re.compile(r"^(gpt-|chatgpt-|o\d|sim-)")
OLD_OPENAI = re.compile(r"^(gpt-4|gpt-3\.5|gpt-35)(?!o|\.1|\.5)")
MESSAGE_TOKENS = 3
NAME_TOKENS = 1
REPLY_TOKENS = 3
IMAGE_TOKENS_MAX = 1_600
FILE_TOKENS_MAX = 32_000
TOOL_SLACK = 16
IMAGE_PARTS = frozenset({"image_url", "image", "input_image"})
FILE_PARTS = frozenset({"file", "document", "input_audio"})


class EncodingDamaged(RuntimeError):
    """A shipped encoding is not the file it should be."""


@dataclass(frozen=True, slots=True)
class InputCount:
    """`tokens` is the count or best estimate, `tokens_max` an upper bound to hold money by."""

    tokens: int
    tokens_max: int
    encoding: str
    is_exact: bool


@lru_cache(maxsize=len(FILES))
def encoding(name: str) -> tiktoken.Encoding:
    """Load once, 0.2 s and some 50 MB each; raises EncodingDamaged."""
    file, sha256 = FILES[name]
    data = (FOLDER / file).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise EncodingDamaged(f"the encoding {name} does not have its sha256")
    ranks = {}
    for line in data.splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    pattern = O200K_PATTERN if name == "o200k_base" else CL100K_PATTERN
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


# The two patterns are part of the encodings' definition (tiktoken_ext/openai_public.py, MIT).
CL100K_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
    r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
O200K_PATTERN = "|".join(
    [
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""\p{N}{1,3}""",
        r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
        r"""\s*[\r\n]+""",
        r"""\s+(?!\S)""",
        r"""\s+""",
    ]
)


@lru_cache(maxsize=4_096)
def encoding_name(model: str) -> tuple[str, bool]:
    """(encoding, whether it is the model's own). Unknown models are estimated by cl100k_base."""
    name = model.rpartition("/")[2]
    if OLD_OPENAI.match(name):
        return "cl100k_base", True
    if NEW_OPENAI.match(name):
        return "o200k_base", True
    return FALLBACK, False


def count_text(text: str, name: str = "o200k_base") -> int:
    """Tokens of a text; its byte length where it is too long or too strange to be tokenised."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    if size > TEXT_BYTES_MAX or LONG_RUN.search(text):
        return size
    try:
        return len(encoding(name).encode_ordinary(text))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # tiktoken's Rust panics are BaseExceptions
        return size


def count_messages(
    messages: Sequence[Mapping[str, Any]], tools: Iterable[Any], model: str
) -> InputCount:
    """Input tokens of a chat call, by OpenAI's documented rule plus bounds for what has none.

    https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken, 2026-11: three tokens
    a message, one a name, three for the reply. Images and files are counted by a bound each.
    """
    name, is_exact = encoding_name(model)
    texts: list[str] = []
    extra = REPLY_TOKENS
    for message in messages:
        extra += MESSAGE_TOKENS + _collect(message, texts)
    definitions = list(tools)
    texts += [orjson.dumps(tool).decode() for tool in definitions]
    tokens = extra + sum(count_text(text, name) for text in texts)
    slack = TOOL_SLACK * len(definitions)
    if is_exact:
        return InputCount(tokens, tokens + slack, name, True)
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return InputCount(tokens, max(tokens, size + extra) + slack, name, False)


def _collect(message: Mapping[str, Any], texts: list[str]) -> int:
    """Put a message's texts into `texts`; returns the tokens of what is not text."""
    texts.append(str(message.get("role", "")))
    extra = 0
    if message.get("name"):
        texts.append(str(message["name"]))
        extra += NAME_TOKENS
    content = message.get("content")
    if isinstance(content, str):
        texts.append(content)
    elif isinstance(content, list):
        extra += sum(_collect_part(part, texts) for part in content)
    for call in message.get("tool_calls") or ():
        texts.append(orjson.dumps(call).decode())
    for block in message.get("thinking_blocks") or ():
        texts.append(orjson.dumps(block).decode())
    for name in ("refusal", "tool_call_id", "reasoning_content"):
        if isinstance(message.get(name), str):
            texts.append(message[name])
    return extra


def _is_text(part: Mapping[str, Any]) -> bool:
    """A document that is plain text, said in place."""
    source = part.get("source")
    return isinstance(source, Mapping) and source.get("type") == "text"


def _collect_part(part: Any, texts: list[str]) -> int:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind in IMAGE_PARTS:
        return IMAGE_TOKENS_MAX
    if kind in FILE_PARTS and not _is_text(part):
        return FILE_TOKENS_MAX
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        texts.append(part["text"])
    else:
        texts.append(orjson.dumps(part).decode())
    return 0
