"""One harmless question with a credential, to see whether it works: the list of models, for free.

The answer's body is read within a bound, and only its own error message is told: without the key,
and without anything else that looks like one. Nothing is followed, nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from providers.catalog import PROVIDERS

from . import vault
from .directory import DUMMY_KEY
from .errors import scrub
from .models import Credential

SECONDS = 10.0
BODY_BYTES_MAX = 1024 * 1024
REDACTED = "[redacted]"
KEY_LENGTH_MIN = 4  # a shorter text is no secret, and its removal would tear words apart


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it; `status` is None where nobody answered."""

    ok: bool
    status: int | None
    message: str
    milliseconds: int


def test(credential: Credential) -> Result:
    """Ask the credential's address with its key; never raises for what the other side does."""
    started = time.monotonic()
    status, message = _ask(credential)
    ok = status is not None and 200 <= status < 300
    return Result(ok, status, message, int((time.monotonic() - started) * 1000))


def _ask(credential: Credential) -> tuple[int | None, str]:
    provider = PROVIDERS.get(credential.provider)
    if provider is None:
        return None, "The provider is not known."
    base_url = provider.completed(credential.base_url) or provider.base_url
    if not base_url:
        return None, "The provider has no address."
    try:
        sealed = bytes(credential.sealed_key)
        key = vault.unseal(sealed) if sealed else DUMMY_KEY
    except vault.CannotUnseal as error:
        return None, str(error)
    path, headers = provider.models_request(key)
    status, message = asyncio.run(_get(f"{base_url}{path}", headers))
    message = message.replace(key, REDACTED) if len(key) >= KEY_LENGTH_MIN else message
    return status, scrub(message)


async def _get(url: str, headers: dict[str, str]) -> tuple[int | None, str]:
    try:
        async with asyncio.timeout(SECONDS):
            return await _read(url, headers)
    except TimeoutError:
        return None, f"No answer within {SECONDS:.0f} seconds."
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return None, f"The provider was not reached: {type(error).__name__}."


async def _read(url: str, headers: dict[str, str]) -> tuple[int, str]:
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > BODY_BYTES_MAX:
                return answer.status_code, "The answer is too long to be a list of models."
        return answer.status_code, _told(answer.status_code, body)


def _told(status: int, body: bytes) -> str:
    document = _document(body)
    if 200 <= status < 300:
        models = document.get("data", document.get("models"))
        if isinstance(models, list):
            noun = "model" if len(models) == 1 else "models"
            return f"The provider lists {len(models)} {noun}."
        return "The provider answered, but not with a list of models."
    error = document.get("error")
    reason = error.get("message") if isinstance(error, dict) else error
    if isinstance(reason, str) and reason:
        return f"The provider answered with status {status}: {reason}"
    return f"The provider answered with status {status}."


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(document, list):  # one host lists its models without a frame
        return {"data": document}
    return document if isinstance(document, dict) else {}
