"""What the chain says of a change: who, what, on which object, and each field before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from audit import log as audit_log
from audit.chain import Draft

from ..books import change
from ..writer import now_us

SYSTEM = 0
TEXT_MAX = 1_000
ITEMS_MAX = 200
Value = str | int | bool | None | datetime | Sequence[str]


def open_system_log() -> None:
    """Make the chain that changes outside any tenant go to; again is harmless."""
    with change(), connection.cursor() as cursor:
        audit_log.open_log(
            cursor, connection.vendor, SYSTEM, settings.SECRETS.audit_origin, now_us(cursor)
        )


def append(entry: Draft) -> None:
    """Into the chain, in the transaction of the `change` around it."""
    with connection.cursor() as cursor:
        audit_log.append(cursor, connection.vendor, [entry], now_us(cursor))


def draft(
    tenant: int,
    actor: str,
    action: str,
    object: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Draft:
    """An entry to be; of fields that stand on both sides, only those that differ are told."""
    before, after = before or {}, after or {}
    same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    details = {
        f"{side}_{name}": _told(value)
        for side, fields in (("before", before), ("after", after))
        for name, value in fields.items()
        if name not in same
    }
    return Draft(tenant, actor, action, object, "ok", details)


def _told(value: Value) -> str | int | bool | list[str] | None:
    """Only what has canonical bytes: large numbers and times as text, long texts cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value[:TEXT_MAX]
    return [item[:TEXT_MAX] for item in value[:ITEMS_MAX]]
