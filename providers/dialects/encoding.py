"""Documents as JSON: what is nested too deep to be written is an error, not a traceback."""

from __future__ import annotations

from typing import Any

import orjson

from ..errors import BadRequest, UnusableAnswer


def encoded(body: Any) -> bytes:
    """A request's body; raises BadRequest where it cannot be written (254 levels at most)."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise BadRequest(f"The request cannot be written as JSON: {error}.") from error


def arguments_text(arguments: Any) -> str:
    """A tool call's arguments of an answer; raises UnusableAnswer where they cannot be written."""
    try:
        return orjson.dumps(arguments).decode()
    except orjson.JSONEncodeError as error:
        raise UnusableAnswer("a tool call's arguments are nested too deep") from error
