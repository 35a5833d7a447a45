"""Keys: how they are made, recognised and stored, and how providers' secrets are sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY = re.compile(r"tga?_([0-9A-Za-z]{32})([0-9A-Za-z]{6})")
KEY_START, TOKEN_START = "tg_", "tga_"
PREFIX_LENGTH = 10
TOKEN_PREFIX_LENGTH = 11


class CannotUnseal(Exception):
    """The sealed text was made with another sealing key, or was changed."""


def make_key() -> str:
    """A new API key: `tg_`, 190 random bits, and a checksum that catches typing errors."""
    return _make(KEY_START)


def make_token() -> str:
    """A new admin token: like a key, with `tga_` in front."""
    return _make(TOKEN_START)


def is_well_formed(key: str, start: str = KEY_START) -> bool:
    """Whether `key` can be a key (or token) at all; a false one costs no look-up."""
    match = KEY.fullmatch(key)
    is_of_kind = match is not None and key.startswith(start)
    return is_of_kind and match is not None and hmac.compare_digest(_checksum(match[1]), match[2])


def digest(key: str) -> bytes:
    """What is stored instead of the key: 32 bytes that are worthless without the pepper."""
    keyed = _peppered().copy()
    keyed.update(key.encode("utf-8", "replace"))
    return keyed.digest()


@cache
def _peppered() -> hmac.HMAC:
    """The pepper hashed once; a copy of it costs less than to begin anew."""
    return hmac.new(bytes.fromhex(settings.SECRETS.key_pepper), digestmod=hashlib.sha256)


def seal(text: str) -> bytes:
    return _fernet().encrypt(text.encode())


def unseal(sealed: bytes) -> str:
    """Raises CannotUnseal; never returns the sealed text itself."""
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken as error:
        raise CannotUnseal("this credential was sealed with another key") from error


def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(settings.SECRETS.sealing_key)))


def _make(start: str) -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(32))
    return f"{start}{body}{_checksum(body)}"


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    return digits
