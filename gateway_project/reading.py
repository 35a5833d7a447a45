"""Bytes of a request body into JSON, strictly: what one parser reads, every parser must read."""

from __future__ import annotations

import re
from typing import Any

import orjson

from .errors import InvalidRequest

DEPTH_MAX = 64
TAGS_MAX = 8
TAG = re.compile(r"([a-z0-9_.-]{1,32})=([A-Za-z0-9 _./:@+-]{1,64})")


def read_json(body: bytes, content_type: str) -> Any:
    """The document; raises InvalidRequest for a wrong media type, bad JSON or too much nesting."""
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    if media_type.strip() != "application/json" or charset not in {"", "utf-8"}:
        raise InvalidRequest(
            "Content-Type must be application/json.", code="unsupported_media_type", status=415
        )
    if depth(body) > DEPTH_MAX:
        raise InvalidRequest(f"JSON nested deeper than {DEPTH_MAX}.", code="json_too_deep")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None


def depth(body: bytes) -> int:
    """An upper bound of the nesting, cheap for the usual body and exact for a suspicious one."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return 0
    level = deepest = 0
    is_text = is_escaped = False
    for byte in body:
        if is_escaped:
            is_escaped = False
        elif is_text:
            is_escaped = byte == 0x5C
            is_text = byte != 0x22
        elif byte == 0x22:
            is_text = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
            if deepest > DEPTH_MAX:
                return deepest
        elif byte in b"]}":
            level -= 1
    return deepest


def read_tags(text: str) -> str:
    """The header `x-tollgate-tags: env=prod, team=search`, in the order of the names."""
    if not text.strip():
        return ""
    tags: dict[str, str] = {}
    for part in text.split(","):
        match = TAG.fullmatch(part.strip())
        if match is None or match[1] in tags or len(tags) == TAGS_MAX:
            raise InvalidRequest(
                f"x-tollgate-tags must be at most {TAGS_MAX} different name=value pairs.",
                param="x-tollgate-tags",
                code="invalid_tags",
            )
        tags[match[1]] = match[2]
    return ",".join(f"{name}={value}" for name, value in sorted(tags.items()))
