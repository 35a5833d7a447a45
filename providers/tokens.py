"""Token counts by tiktoken, from encodings that ship with this package. No network, ever.

Counting is bounded: a text beyond TEXT_BYTES_MAX, or one that tiktoken is slow or helpless with,
is not tokenised but bounded by its bytes, since a token is never shorter than a byte.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import tiktoken

from . import media
from .errors import BadRequest

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
RUN_WINDOW = WORD_MAX // 2
NEW_OPENAI = re.compile(r"^(gpt-|chatgpt-|o\d|sim-)")
OLD_OPENAI = re.compile(r"^(gpt-4|gpt-3\.5|gpt-35)(?!o|\.1|\.5)")
MESSAGE_TOKENS = 3
NAME_TOKENS = 1
REPLY_TOKENS = 3
TOOL_SLACK = 16
REMEMBERED_MAX = 4_096
SLICE, SLICES = 2_048, 16
MORE_TEXTS = (
    "tool_calls",
    "function_call",
    "refusal",
    "tool_call_id",
    "reasoning_content",
    "thinking_blocks",
)
IMAGE_PARTS = frozenset({"image_url", "image", "input_image"})
FILE_PARTS = frozenset({"file", "document", "input_audio"})


class EncodingDamaged(RuntimeError):
    """A shipped encoding is not the file it should be."""


@dataclass(frozen=True, slots=True)
class InputCount:
    """`tokens` is the count or best estimate, `tokens_max` an upper bound to hold money by.

    `is_exact` says that every token was counted by the model's own encoding.
    """

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
    if len(text) >= WORD_MAX and _is_hard(text):
        return size_bytes(text)
    return _encoded(text, name)


def size_bytes(text: str) -> int:
    """UTF-8 bytes, which no count exceeds: a token is never shorter than a byte."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _is_hard(text: str) -> bool:
    """Whether tiktoken could be slow or panic: a long text, or a run without or of white space.

    A run of 2 x RUN_WINDOW characters fills one of the windows, so each is looked at once.
    """
    if len(text) > TEXT_BYTES_MAX or size_bytes(text) > TEXT_BYTES_MAX:
        return True
    starts = range(0, len(text) - RUN_WINDOW + 1, RUN_WINDOW)
    return any(len(text[at : at + RUN_WINDOW].split(None, 1)) < 2 for at in starts)


def _encoded(text: str, name: str) -> int:
    try:
        return len(encoding(name).encode_ordinary(text))
    except (KeyboardInterrupt, SystemExit, GeneratorExit, EncodingDamaged):
        raise
    except BaseException:  # tiktoken's Rust panics are BaseExceptions
        return size_bytes(text)


_remembered = lru_cache(maxsize=1_024)(_encoded)


def _estimated(text: str, name: str) -> int:
    """From slices spread evenly over a text that is too long or too strange to be counted."""
    step = max(SLICE, len(text) // SLICES)
    slices = [text[at : at + SLICE] for at in range(0, len(text), step)][:SLICES]
    counted, seen = sum(_encoded(each, name) for each in slices), sum(map(len, slices))
    return min(size_bytes(text), -(-counted * len(text) // seen))


def count_messages(
    messages: Sequence[Mapping[str, Any]], tools: Iterable[Any], model: str
) -> InputCount:
    """Input tokens of a chat call, by OpenAI's documented rule plus bounds for what has none.

    https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken, 2026-11: three tokens
    a message, one a name, three for the reply. Tools are counted by their JSON plus a slack,
    images and files by `media.py`. Without a tokenizer of its own a model is estimated by another
    one's, and bounded by bytes; a text too long to count is estimated from slices of it.
    """
    name, is_own = encoding_name(model)
    found = _collect_all(messages, tools, model)
    tokens = most = found.fixed
    is_exact = is_own and found.media_typical == found.media_max
    for text in found.short:
        tokens += _remembered(text, name)
    most = tokens if is_own else most + sum(map(size_bytes, found.short))
    for text in found.long:
        if len(text) >= WORD_MAX and _is_hard(text):
            counted, is_counted = _estimated(text, name), False
        else:
            counted, is_counted = _encoded(text, name), True
        tokens += counted
        most += counted if is_own and is_counted else size_bytes(text)
        is_exact = is_exact and is_counted
    tokens, most = tokens + found.media_typical, most + found.media_max + found.slack
    return InputCount(tokens, most, name, is_exact)


def bound_messages(messages: Sequence[Mapping[str, Any]], tools: Sequence[Any], model: str) -> int:
    """What `count_messages(...).tokens_max` never exceeds, without tokenising: bytes for texts."""
    spoken, others = 0, []
    for message in messages:
        content = message.get("content")
        if len(message) == 2 and type(content) is str and "role" in message:
            spoken += MESSAGE_TOKENS + size_bytes(str(message["role"])) + size_bytes(content)
        else:
            others.append(message)
    if not others and not tools:
        return spoken + REPLY_TOKENS
    found = _collect_all(others, tools, model)
    texts = sum(map(size_bytes, found.short)) + sum(map(size_bytes, found.long))
    return spoken + found.fixed + texts + found.media_max + found.slack


@dataclass(slots=True)
class _Found:
    """A call taken apart: texts, and tokens of what is not text.

    `short` are texts that come again and again (roles, names, tools), and are remembered.
    """

    short: list[str]
    long: list[str]
    fixed: int = REPLY_TOKENS
    media_typical: int = 0
    media_max: int = 0
    slack: int = 0

    def add(self, tokens: media.Tokens) -> None:
        self.media_typical += tokens.typical
        self.media_max += tokens.most


def _collect_all(messages: Sequence[Mapping[str, Any]], tools: Iterable[Any], model: str) -> _Found:
    found = _Found([], [])
    for message in messages:
        _collect(message, found, model)
    for tool in tools:
        _sort_in(_json(tool), found)
        found.slack += TOOL_SLACK
    return found


def _sort_in(text: str, found: _Found) -> None:
    (found.short if len(text) <= REMEMBERED_MAX else found.long).append(text)


def _collect(message: Mapping[str, Any], found: _Found, model: str) -> None:
    found.fixed += MESSAGE_TOKENS
    _sort_in(str(message.get("role", "")), found)
    name = message.get("name")
    if name:
        _sort_in(str(name), found)
        found.fixed += NAME_TOKENS
    content = message.get("content")
    if isinstance(content, str):
        found.long.append(content)
    elif isinstance(content, list):
        for part in content:
            _collect_part(part, found, model)
    for field in MORE_TEXTS:
        if field in message:
            value = message[field]
            if value:
                found.long.append(value if isinstance(value, str) else _json(value))


def _is_text(part: Mapping[str, Any]) -> bool:
    """A document that is plain text, said in place."""
    source = part.get("source")
    return isinstance(source, Mapping) and source.get("type") == "text"


def _collect_part(part: Any, found: _Found, model: str) -> None:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind in IMAGE_PARTS:
        found.add(media.image_tokens(part, model))
    elif kind in FILE_PARTS and not _is_text(part):
        found.add(media.file_tokens(part))
    elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
        found.long.append(part["text"])
    else:
        found.long.append(_json(part))


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate, a number beyond 64 bits
        pass
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError as error:
        raise BadRequest("the messages or tools are nested too deeply") from error
