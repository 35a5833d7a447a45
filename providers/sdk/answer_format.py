"""`response_format` as a dict, also where it was given as a pydantic model. Pure.

https://platform.openai.com/docs/guides/structured-outputs, 2026-11: a strict schema lists every
property as required and allows no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEPTH_MAX = 100


def read(wanted: Any) -> Any:
    """A model class becomes a strict `json_schema`; anything else stays as it is."""
    if not isinstance(wanted, type) or not hasattr(wanted, "model_json_schema"):
        return wanted
    schema = _strict(wanted.model_json_schema(), DEPTH_MAX)
    described = {"name": wanted.__name__, "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": described}


def _strict(schema: Any, depth: int) -> Any:
    if isinstance(schema, list):
        return [_strict(each, depth - 1) for each in schema]
    if not isinstance(schema, Mapping) or depth <= 0:
        return schema
    made = {name: _strict(value, depth - 1) for name, value in schema.items() if name != "default"}
    if made.get("type") == "object" and isinstance(made.get("properties"), Mapping):
        made["required"] = list(made["properties"])
        made["additionalProperties"] = False
    return made
