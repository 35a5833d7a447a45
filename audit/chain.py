"""The hash chain: canonical bytes, hashes, links, and the check that trusts nothing. Pure.

    leaf_n = SHA-256(0x00 || body_n)
    hash_n = SHA-256(0x02 || "tollgate-audit-v1\\0" || hash_(n-1) || leaf_n)

A body is RFC 8785 JSON (JCS) of a flat object, stored as bytes and never written anew to verify.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from .shapes import shape

Scalar = str | int | bool | None
Details = Mapping[str, "Scalar | Sequence[Scalar]"]
INTEGER_MAX = 2**53 - 1
DOMAIN = b"\x02tollgate-audit-v1\x00"
NO_HASH = bytes(32)
FIXED = frozenset({"v", "tenant", "seq", "prev", "ts", "actor", "action", "object", "result"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotCanonical(ValueError):
    """A value that has no canonical bytes: a float, a large integer, nesting, a lone surrogate."""


@shape
class Head:
    """Where a tenant's chain ends."""

    tenant: int
    seq: int
    hash: bytes
    ts_us: int


@shape
class Draft:
    """What an entry shall say, before it has its place in a chain."""

    tenant: int
    actor: str
    action: str
    object: str
    result: str
    details: Details


@shape
class Entry:
    tenant: int
    seq: int
    hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Bad:
    """The first entry of a chain that is not as it was written, and why."""

    tenant: int
    seq: int
    reason: str


def canonical(fields: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes; raises NotCanonical."""
    for name, value in fields.items():
        kind = type(value)
        if kind is str or (kind is int and -INTEGER_MAX <= value <= INTEGER_MAX):
            continue
        if kind is list or kind is tuple:
            for part in value:
                _check(name, part)
        else:
            _check(name, value)
    if not "".join(fields).isascii():
        raise NotCanonical(f"a name of {sorted(fields)!r} is not ASCII")
    try:
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise NotCanonical(str(error)) from error


def _check(name: str, value: object) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if not isinstance(value, int) or not -INTEGER_MAX <= value <= INTEGER_MAX:
        raise NotCanonical(f"{name} has a value of type {type(value).__name__} or too large")


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def chain_hash(previous: bytes, body: bytes) -> bytes:
    return hashlib.sha256(DOMAIN + previous + leaf_hash(body)).digest()


def genesis(tenant: int, origin: str, nonce: bytes, now_us: int) -> tuple[Head, Entry]:
    """The first entry: the origin and 32 random bytes, so that no two installs share a chain."""
    draft = Draft(
        tenant, "system", "log.open", origin, "ok", {"origin": origin, "nonce": nonce.hex()}
    )
    return _link(Head(tenant, -1, NO_HASH, 0), draft, now_us)


def extend(head: Head, drafts: Sequence[Draft], now_us: int) -> tuple[Head, list[Entry]]:
    """Link drafts of one tenant to its head; times never go back, whatever the clock does."""
    entries = []
    for draft in drafts:
        head, entry = _link(head, draft, now_us)
        entries.append(entry)
    return head, entries


def _link(head: Head, draft: Draft, now_us: int) -> tuple[Head, Entry]:
    if draft.tenant != head.tenant:
        raise ValueError(f"a draft of tenant {draft.tenant} for the chain of {head.tenant}")
    if not FIXED.isdisjoint(draft.details):
        raise NotCanonical(f"details may not name {sorted(FIXED.intersection(draft.details))}")
    seq = head.seq + 1
    ts_us = now_us if now_us > head.ts_us else head.ts_us
    body = canonical(
        {
            **draft.details,
            "v": 1,
            "tenant": draft.tenant,
            "seq": seq,
            "prev": head.hash.hex(),
            "ts": timestamp(ts_us),
            "actor": draft.actor,
            "action": draft.action,
            "object": draft.object,
            "result": draft.result,
        }
    )
    entry = Entry(draft.tenant, seq, chain_hash(head.hash, body), body)
    return Head(draft.tenant, seq, entry.hash, ts_us), entry


@lru_cache(maxsize=64)
def timestamp(at_us: int) -> str:
    """ISO 8601, UTC, always with six decimals: the texts sort as the times do."""
    at = EPOCH + timedelta(microseconds=at_us)
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Checker:
    """Walks one tenant's entries in ascending seq and stops at the first that is bad."""

    def __init__(self, tenant: int) -> None:
        self.tenant = tenant
        self.count = 0
        self.hash = NO_HASH
        self._ts = ""

    def feed(self, rows: Iterable[tuple[int, bytes, bytes]]) -> Bad | None:
        """Check (seq, hash, body) rows that follow what was fed before."""
        for seq, stored, body in rows:
            reason = self._fault(seq, stored, body)
            if reason is not None:
                return Bad(self.tenant, min(seq, self.count), reason)
            self.hash = stored
            self.count += 1
        return None

    def _fault(self, seq: int, stored: bytes, body: bytes) -> str | None:
        if seq != self.count:
            return f"entry {self.count} is missing"
        if chain_hash(self.hash, body) != stored:
            return "its hash does not fit its body and the entry before"
        try:
            fields = orjson.loads(body)
        except orjson.JSONDecodeError:
            return "its body is not JSON"
        if not isinstance(fields, dict):
            return "its body is not an object"
        if (fields.get("tenant"), fields.get("seq")) != (self.tenant, seq):
            return "its body names another place"
        if fields.get("prev") != self.hash.hex():
            return "its body names another predecessor"
        if seq == 0 and fields.get("action") != "log.open":
            return "the chain does not begin with log.open"
        if str(fields.get("ts")) < self._ts:
            return "its time lies before the entry ahead of it"
        self._ts = str(fields.get("ts"))
        return None
