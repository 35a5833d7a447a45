"""Bytes of a request body into JSON, strictly: what one parser reads, every parser must read."""

from __future__ import annotations

import re
from typing import Any

import orjson

from .errors import InvalidRequest

JSON = "application/json"
DEPTH_MAX = 64
OPENING = (b"{", b"[")
BRACKET = re.compile(rb"[\[\]{}]")
SCANNED_BYTES = 64 * 1024
TAGS_MAX = 8
TAG = re.compile(r"([a-z0-9_.-]{1,32})=([A-Za-z0-9 _./:@+-]{1,64})")


def read_json(body: bytes, content_type: str) -> Any:
    """The document; raises InvalidRequest for a wrong media type, bad JSON or too much nesting."""
    if content_type != JSON and not _is_json(content_type):
        raise InvalidRequest(
            "Content-Type must be application/json.", code="unsupported_media_type", status=415
        )
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if _begins_deep(body):  # the parser itself gives up at 1,024 levels
            raise _too_deep() from None
        raise InvalidRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None
    if _may_be_deep(body) and _is_deep(document):
        raise _too_deep()
    return document


def _too_deep() -> InvalidRequest:
    return InvalidRequest(f"JSON nested deeper than {DEPTH_MAX}.", code="json_too_deep")


def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    return media_type.strip() == JSON and charset in {"", "utf-8"}


def _may_be_deep(body: bytes) -> bool:
    """Has it more brackets than levels are allowed? Each is found at the speed of memory."""
    opened = 0
    for bracket in OPENING:
        at = body.find(bracket)
        while at >= 0:
            opened += 1
            if opened > DEPTH_MAX:
                return True
            at = body.find(bracket, at + 1)
    return False


def _begins_deep(body: bytes) -> bool:
    """For a body that is no JSON, to say why: brackets in texts are taken for brackets here."""
    level = 0
    for bracket in BRACKET.finditer(body, 0, SCANNED_BYTES):
        level += 1 if bracket[0] in OPENING else -1
        if level > DEPTH_MAX:
            return True
    return False


def _is_deep(document: Any) -> bool:
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


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
