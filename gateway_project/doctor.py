"""Is this installation sound? Each check looks at one thing and says what to do about it."""

from __future__ import annotations

import os
import platform
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from audit import log as audit_log
from budgets import tables
from providers import tokens

from . import vault
from .models import Credential, Price

SQLITE_REPAIRED = (3, 51, 3)
SKEW_US_MAX = 2_000_000
PYTHON_MIN = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    state: Literal["ok", "warning", "failed"]
    what: str
    text: str


def examine() -> Iterator[Finding]:
    """Every check in turn; one that breaks is a finding too."""
    for check in CHECKS:
        what = check.__name__.removeprefix("_").replace("_", " ")
        try:
            yield from check()
        except Exception as error:  # the report goes on whatever is broken
            yield Finding("failed", what, f"{type(error).__name__}: {error}")


def _python() -> Iterator[Finding]:
    is_old = sys.version_info < PYTHON_MIN
    yield Finding("failed" if is_old else "ok", "python", platform.python_version())


def _data_folder() -> Iterator[Finding]:
    is_writable = os.access(settings.DATA, os.W_OK)
    yield Finding("ok" if is_writable else "failed", "data folder", str(settings.DATA))
    for name in ("secrets.json", "demo.json"):
        path = settings.DATA / name
        if path.exists():
            mode = stat.S_IMODE(path.stat().st_mode)
            is_open = bool(mode & 0o077)
            state: Literal["ok", "failed"] = "failed" if is_open else "ok"
            yield Finding(state, name, f"mode {mode:04o}" + (", must be 0600" if is_open else ""))


def _database() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        is_old = sqlite3.sqlite_version_info < SQLITE_REPAIRED
        note = ", may lose a commit where two connections write; our writers take turns"
        state: Literal["ok", "warning"] = "warning" if is_old else "ok"
        yield Finding(state, "sqlite", sqlite3.sqlite_version + (note if is_old else ""))
    with connection.cursor() as cursor:
        before = time.time_ns() // 1000
        skew = audit_log.database_now_us(cursor, connection.vendor) - before
    text = f"{skew / 1_000_000:+.3f} s against this machine"
    yield Finding("warning" if abs(skew) > SKEW_US_MAX else "ok", "database clock", text)


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    text = f"{len(plan)} to apply: manage.py migrate" if plan else "all applied"
    yield Finding("failed" if plan else "ok", "migrations", text)


def _append_only() -> Iterator[Finding]:
    missing = audit_log.missing_triggers(connection)
    missing += audit_log.missing_triggers(connection, tables.TRIGGERS)
    text = f"missing triggers: {', '.join(missing)}" if missing else "ledger and chain are guarded"
    yield Finding("failed" if missing else "ok", "append-only", text)


def _prices() -> Iterator[Finding]:
    count = Price.objects.filter(valid_to=None).count()
    text = f"{count} in force" if count else "none: manage.py prices sync"
    yield Finding("ok" if count else "failed", "prices", text)


def _credentials() -> Iterator[Finding]:
    for credential in Credential.objects.filter(is_active=True).exclude(sealed_key=b""):
        try:
            vault.unseal(bytes(credential.sealed_key))
        except vault.CannotUnseal as error:
            yield Finding("failed", f"credential {credential.name}", str(error))
    yield Finding("ok", "credentials", f"{Credential.objects.filter(is_active=True).count()} set")


def _encodings() -> Iterator[Finding]:
    for name in tokens.FILES:
        tokens.encoding(name)
    yield Finding("ok", "encodings", ", ".join(tokens.FILES))


def _redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield Finding("ok", "redis", "not used")
        return
    import redis  # an extra: only installations that name a server have it

    redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5).ping()
    yield Finding("ok", "redis", "answers")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _data_folder,
    _database,
    _migrations,
    _append_only,
    _prices,
    _credentials,
    _encodings,
    _redis,
)
