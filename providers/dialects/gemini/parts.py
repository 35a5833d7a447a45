"""What stands in a turn: text, and media as bytes or as an address that Google fetches.

Addresses: https://ai.google.dev/gemini-api/docs/file-input-methods, 2026-11. The media type of an
address is said where its ending tells it, and found by Google otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...errors import BadRequest, Unsupported
from ..urls import check_image

DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64,(.*)", re.DOTALL)
AUDIO = frozenset({"wav", "mp3", "aiff", "aac", "ogg", "flac"})
ENDINGS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp4": "video/mp4",
}


def parts_of(content: Any) -> list[dict[str, Any]]:
    """Parts for the content of a message; empty texts are left out."""
    if isinstance(content, str):
        return [{"text": content}] if content else []
    parts = [_part(part) for part in content or ()]
    return [part for part in parts if part is not None]


def text_of(content: Any, where: str) -> list[str]:
    """The texts of a content that may hold nothing else."""
    parts = parts_of(content)
    if any("text" not in part for part in parts):
        raise Unsupported(f"This model reads only text in a {where} message.", param="messages")
    return [part["text"] for part in parts]


def _part(part: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = part["type"]
    match kind:
        case "text" | "refusal":
            text = part.get(kind)
            return {"text": text} if isinstance(text, str) and text else None
        case "image_url":
            image = part.get("image_url")
            return _at(image.get("url") if isinstance(image, Mapping) else image)
        case "input_audio":
            return _audio(part.get("input_audio"))
        case "file":
            return _file(part.get("file"))
        case "image" | "document":
            return _source(part.get("source"), kind)
    raise Unsupported(f"This model cannot read a part of type {kind[:50]!r}.", param="messages")


def _at(url: Any) -> dict[str, Any]:
    if not isinstance(url, str):
        raise BadRequest("A part of a message lacks its url.", param="messages")
    match = DATA_URL.fullmatch(url)
    if match is not None:
        return _bytes(match[1], match[2])
    if url.startswith("data:"):
        raise BadRequest("A data URL must name its media type and be base64.", param="messages")
    check_image(url, "messages")
    media_type = ENDINGS.get(urlsplit(url).path.rpartition(".")[2].lower())
    described = {} if media_type is None else {"mimeType": media_type}
    return {"fileData": {**described, "fileUri": url}}


def _bytes(media_type: Any, data: Any) -> dict[str, Any]:
    if not isinstance(media_type, str) or not isinstance(data, str):
        raise BadRequest("A part of a message lacks its data.", param="messages")
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _audio(audio: Any) -> dict[str, Any]:
    form = audio.get("format") if isinstance(audio, Mapping) else None
    if not isinstance(form, str) or form not in AUDIO:
        raise Unsupported(
            f"This model reads audio only as one of {sorted(AUDIO)}.", param="messages"
        )
    return _bytes(f"audio/{form}", audio.get("data"))


def _file(file: Any) -> dict[str, Any]:
    data = file.get("file_data") if isinstance(file, Mapping) else None
    if not isinstance(data, str) or not data.startswith("data:"):
        raise Unsupported("This model reads a file only as a data URL.", param="messages")
    return _at(data)


def _source(source: Any, kind: str) -> dict[str, Any]:
    """Anthropic's images and documents: base64, an address, or plain text."""
    form = source.get("type") if isinstance(source, Mapping) else None
    if form == "base64":
        return _bytes(source.get("media_type"), source.get("data"))
    if form == "url":
        return _at(source.get("url"))
    text = source.get("data") if form == "text" else None
    if isinstance(text, str) and text:
        return {"text": text}
    raise Unsupported(f"This model cannot read a {kind} of this source.", param="messages")
