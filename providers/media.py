"""Tokens of images, audio and documents in a prompt: an estimate, and an upper bound. Pure.

A size is read from an image's first bytes, nothing is decoded. Where a provider publishes no rule
or the size is not known, the estimate is a typical one and the bound the most that is published.

- OpenAI, https://platform.openai.com/docs/guides/images-vision#calculating-costs, 2026-11: tiles
  of 512 pixels after fitting into 2048 x 2048 and a short side of 768, or patches of 32 pixels.
- Anthropic, https://platform.claude.com/docs/en/build-with-claude/vision, 2026-11: width x height
  / 750, scaled down above 1,600 tokens (newer models: patches of 28 pixels, at most 4,784).
- Gemini, https://ai.google.dev/gemini-api/docs/tokens, 2026-11: 258 a tile of 768 pixels; audio
  32 a second.

Found again in a second place, 2026-11: OpenAI's 85 and 170, 1.62 and 2.46; Anthropic's 1,600;
Gemini's 258 and 32. The other figures below are not, and may be out of date: check them before
money depends on more than their bound.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from math import ceil, sqrt
from typing import Any, NamedTuple

HEADER_CHARS, JPEG_CHARS = 64, 4 * 65_536
TILED = (
    (re.compile(r"^gpt-4o-mini"), 2_833, 5_667),
    (re.compile(r"^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-|chatgpt-4o)(?!.*(-mini|-nano))"), 85, 170),
    (re.compile(r"^(o1|o3)(?!-mini)"), 75, 150),
    (re.compile(r"^gpt-5(-chat.*|-\d{4}.*)?$"), 70, 140),
)
PATCHED = (
    (re.compile(r"^(gpt-4\.1|gpt-5)-mini"), 162),
    (re.compile(r"^(gpt-4\.1|gpt-5)-nano"), 246),
    (re.compile(r"^o4-mini"), 172),
)
OPENAI = re.compile(r"^(gpt-|chatgpt-|o\d)")
TILES_MAX = 8  # of 512 pixels in 768 x 2048
PATCHES_MAX = 1_536
OPENAI_MOST = 24_600  # 10,000 patches at the highest multiplier, 2.46
CLAUDE_TYPICAL, CLAUDE_MOST = 1_600, 4_784
GEMINI_TILE, GEMINI_TILES_MAX, GEMINI_MOST_BY_OPTION = 258, 16, 2_240
ANY_MOST = 16_384  # Qwen2-VL: 12,845,056 pixels in patches of 28, the most of the open models
TYPICAL = 1_600
FILE_TYPICAL = 32_000
FILE_MOST = 100 * (3_000 + CLAUDE_TYPICAL)  # Anthropic: 100 pages, each as text and as an image
AUDIO_TOKENS_PER_SECOND, AUDIO_TOKENS_PER_SECOND_MAX = 10, 32
AUDIO_BYTES_PER_SECOND = {"wav": 48_000, "mp3": 16_000}
AUDIO_BYTES_PER_SECOND_MIN = 1_000  # MPEG audio at 8 kbit/s, the lowest there is


class Size(NamedTuple):
    width: int
    height: int


class Tokens(NamedTuple):
    """An estimate and what it cannot exceed."""

    typical: int
    most: int


def image_tokens(part: Mapping[str, Any], model: str) -> Tokens:
    """Of an image part in OpenAI's or Anthropic's shape, for a model by name."""
    url, detail = _source(part)
    size = size_of(url)
    name = model.rpartition("/")[2].lower()
    for pattern, base, tile in TILED:
        if pattern.match(name):
            return _tiled(size, detail, base, tile)
    for pattern, percent in PATCHED:
        if pattern.match(name):
            return _patched(size, percent)
    if OPENAI.match(name):
        return Tokens(TYPICAL, OPENAI_MOST)
    if "claude" in name:
        return _claude(size)
    if "gemini" in name:
        return _gemini(size)
    return Tokens(TYPICAL, ANY_MOST)


def _source(part: Mapping[str, Any]) -> tuple[str, str]:
    """(URL or base64 data, detail)."""
    image: Any = part.get("image_url")
    source: Any = part.get("source")
    detail: Any = part.get("detail")
    if isinstance(image, Mapping):
        image, detail = image.get("url"), image.get("detail")
    elif isinstance(source, Mapping):
        image = source.get("data")
        return (f"data:,{image[:JPEG_CHARS]}" if isinstance(image, str) else ""), ""
    return image if isinstance(image, str) else "", str(detail or "")


def _tiled(size: Size | None, detail: str, base: int, tile: int) -> Tokens:
    if detail == "low":
        return Tokens(base, base)
    if size is None:
        return Tokens(base + 4 * tile, base + TILES_MAX * tile)
    fit = min(1.0, 2_048 / max(size))
    width, height = size.width * fit, size.height * fit
    short = 768 / min(width, height)
    typical = _tiles(width, height, min(1.0, short), 512)
    enlarged = min(TILES_MAX, _tiles(width, height, short, 512))  # not told apart by the rule
    return Tokens(base + typical * tile, base + max(typical, enlarged) * tile)


def _tiles(width: float, height: float, scale: float, side: int) -> int:
    across, down = round(width * scale, 6), round(height * scale, 6)
    return max(1, ceil(across / side)) * max(1, ceil(down / side))


def _patched(size: Size | None, percent: int) -> Tokens:
    """Patches of 32 pixels; a larger image is shrunk until its grid is within the limit."""
    most = -(-PATCHES_MAX * percent // 100)
    if size is None:
        return Tokens(most, most)
    patches = _tiles(*size, 1.0, 32)
    if patches > PATCHES_MAX:
        shrunk = sqrt(PATCHES_MAX * 32**2 / (size.width * size.height))
        across, down = size.width * shrunk / 32, size.height * shrunk / 32
        exact = min(_whole(across) / across, _whole(down) / down)
        patches = min(PATCHES_MAX, _tiles(across, down, exact, 1))
    typical = -(-patches * percent // 100)
    return Tokens(typical, typical if size.width * size.height < 10**6 else most)


def _whole(patches: float) -> int:
    return max(1, int(patches))


def _claude(size: Size | None) -> Tokens:
    if size is None:
        return Tokens(CLAUDE_TYPICAL, CLAUDE_MOST)
    area = -(-size.width * size.height // 750)
    most = min(CLAUDE_MOST, max(area, _tiles(*size, 1.0, 28)))
    return Tokens(min(area, CLAUDE_TYPICAL, most), most)


def _gemini(size: Size | None) -> Tokens:
    most = GEMINI_TILE * GEMINI_TILES_MAX
    if size is None:
        return Tokens(4 * GEMINI_TILE, most)
    tiles = 1 if max(size) <= 384 else min(GEMINI_TILES_MAX, _tiles(*size, 1.0, 768))
    return Tokens(tiles * GEMINI_TILE, max(tiles * GEMINI_TILE, GEMINI_MOST_BY_OPTION))


def file_tokens(part: Mapping[str, Any]) -> Tokens:
    """Of an audio or document part."""
    audio = part.get("input_audio")
    if not isinstance(audio, Mapping):
        return Tokens(FILE_TYPICAL, FILE_MOST)
    data = audio.get("data")
    size = len(data) * 3 // 4 if isinstance(data, str) else 0
    per_second = AUDIO_BYTES_PER_SECOND.get(str(audio.get("format")), AUDIO_BYTES_PER_SECOND_MIN)
    typical = 1 + size * AUDIO_TOKENS_PER_SECOND // per_second
    most = size * AUDIO_TOKENS_PER_SECOND_MAX // AUDIO_BYTES_PER_SECOND_MIN
    return Tokens(typical, AUDIO_TOKENS_PER_SECOND_MAX + most)


def size_of(url: str) -> Size | None:
    """Width and height by the first bytes of a data URL: PNG, JPEG, GIF, WebP; else None."""
    if not url.startswith("data:"):
        return None
    start = url.find(",", 0, 200) + 1
    head = _decoded(url[start : start + HEADER_CHARS])
    if head.startswith(b"\xff\xd8"):
        size = _jpeg(_decoded(url[start : start + JPEG_CHARS]))
    elif head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        size = Size(int.from_bytes(head[16:20]), int.from_bytes(head[20:24]))
    elif head.startswith((b"GIF87a", b"GIF89a")):
        size = Size(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"))
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP" and len(head) >= 30:
        size = _webp(head)
    else:
        return None
    return size if size is not None and min(size) > 0 else None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text[: len(text) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _jpeg(data: bytes) -> Size | None:
    """Walk the segments to the frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in {0xC4, 0xC8, 0xCC}:
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return Size(int.from_bytes(width), int.from_bytes(height))
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return None


def _webp(data: bytes) -> Size | None:
    little = {
        b"VP8 ": (int.from_bytes(data[26:28], "little") & 0x3FFF,
                  int.from_bytes(data[28:30], "little") & 0x3FFF),
        b"VP8L": ((bits := int.from_bytes(data[21:25], "little")) % 2**14 + 1,
                  (bits >> 14) % 2**14 + 1),
        b"VP8X": (int.from_bytes(data[24:27], "little") + 1,
                  int.from_bytes(data[27:30], "little") + 1),
    }  # fmt: skip
    size = little.get(data[12:16])
    return None if size is None else Size(*size)
