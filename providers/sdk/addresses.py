"""Which provider a model's name leads to, at what address and with which key.

The one place of the SDK that reads the environment: the variables that the catalogue names, those
of LiteLLM's users (`OPENAI_API_BASE`) among them.
"""

from __future__ import annotations

import os
from typing import Any

from ..catalog import PROVIDERS, Provider
from ..errors import BadRequest, StatusError
from ..routing import Target, choose
from . import door
from .raising import named_errors


def find_provider(model: str, provider: str | None = None) -> tuple[Provider, str]:
    """(provider, its own name of the model); raises BadRequest where no provider is meant."""
    name, upstream = choose(model, provider)
    head, slash, _ = model.partition("/")
    if provider is None and slash and upstream == model:
        raise BadRequest(
            f"LLM Provider NOT provided: {head[:50]!r} is none of {sorted(PROVIDERS)}. "
            "Give the model as provider/model, or custom_llm_provider.",
            param="model",
        )
    if name not in PROVIDERS:
        raise BadRequest(
            f"The provider {name[:50]!r} is none of {sorted(PROVIDERS)}.", param="model"
        )
    return PROVIDERS[name], upstream


def find_target(model: str, provider: str | None, key: Any, base: Any) -> Target:
    """Raises StatusError with 401 where there is no key, BadRequest where there is no address.

    A server of the caller's own needs no key, and an address may lack its path there.
    """
    row, upstream = find_provider(model, provider)
    base_url = base or door.setting("api_base", None) or _address(row)
    if not isinstance(base_url, str) or not base_url.startswith(("http://", "https://")):
        raise BadRequest(
            f"No address for {row.name}: give api_base, or set {row.url_variable}.",
            param="api_base",
        )
    return Target(row, upstream, row.completed(base_url), _checked(key or _key(row), row))


def _checked(key: Any, row: Provider) -> str:
    api_key = key.strip() if isinstance(key, str) else ""
    if not api_key and row.needs_key:
        raise StatusError(
            f"No API key for {row.name}: give api_key, or set {row.key_variable}.",
            status=401,
            code="invalid_api_key",
        )
    if not (api_key.isascii() and api_key.isprintable()):
        raise StatusError(
            f"The API key for {row.name} cannot be sent: it holds odd letters.",
            status=401,
            code="invalid_api_key",
        )
    return api_key


@named_errors()
def validate_environment(model: str, api_key: str | None = None) -> dict[str, Any]:
    """{"keys_in_environment": bool, "missing_keys": [names of variables]} for this model."""
    row, _ = find_provider(model)
    missing = [] if api_key or _key(row) or not row.needs_key else [row.key_variable]
    if not _address(row):
        missing.append(row.url_variable)
    return {"keys_in_environment": not missing, "missing_keys": missing}


def _key(row: Provider) -> str | None:
    own = door.setting(f"{row.name}_key", None) or door.setting("api_key", None)
    return own or row.key_in(os.environ)


def _address(row: Provider) -> str:
    return row.url_in(os.environ) or row.base_url
