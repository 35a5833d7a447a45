"""The demo tenant: made once, so that a newcomer has a key that works."""

from __future__ import annotations

import json
import os
from typing import Any

from django.conf import settings

from budgets.models import Tenant
from budgets.money import NANOS_PER_DOLLAR

from . import administration
from .roles import EVERYTHING, Role

ACTOR = "system:demo"
FAULTS = ("500", "429", "529", "refuse", "hang", "reset", "garbage", "cut-5")


def url() -> str:
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    return f"http://{host}:{settings.PORT}"


def seed() -> dict[str, str]:
    """Prices, a demo tenant with budgets and a key, an admin; returns and keeps `demo.json`."""
    path = settings.DATA / "demo.json"
    administration.open_system_log()
    administration.sync_prices(ACTOR)
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if not known.get("admin_token") or not Tenant.objects.filter(external_id="demo").exists():
        known = _make()
    known["url"] = url()
    _write(path, known)
    return known


def _make() -> dict[str, str]:
    """Make what is missing; a key and a password whose only copy was lost are made anew."""
    tenant = Tenant.objects.filter(external_id="demo").first()
    if tenant is None:
        tenant = administration.create_tenant(ACTOR, "demo", "Demo tenant")
        administration.set_budget(ACTOR, tenant, "day", 100 * NANOS_PER_DOLLAR)
        administration.set_budget(ACTOR, tenant, "month", 1_000 * NANOS_PER_DOLLAR)
    _, key = administration.create_key(ACTOR, tenant, "demo")
    membership, password = administration.set_member(ACTOR, "admin", None, Role.OWNER)
    password = password or administration.set_password(ACTOR, membership.user)
    _, token = administration.create_token(ACTOR, "demo", None, sorted(EVERYTHING))
    for fault in FAULTS:
        provider = "simulator-refuse" if fault == "refuse" else "simulator"
        administration.set_route(
            ACTOR,
            f"fallback-{fault}",
            [(provider, f"sim-{fault}", None), ("simulator-anthropic", "sim-echo", None)],
        )
    return {
        "url": url(),
        "api_key": key,
        "admin_user": "admin",
        "admin_password": password,
        "admin_token": token,
        "tenant": tenant.external_id,
    }


def _write(path: Any, known: dict[str, str]) -> None:
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(known, file, indent=1)
    os.replace(draft, path)


def instructions(known: dict[str, str]) -> str:
    """What `make run` prints: where, who, and lines that work."""
    call = f"{known['url']}/v1/chat/completions -H 'Authorization: Bearer {known['api_key']}'"
    message = '"messages": [{"role": "user", "content": "Hello!"}]'
    kind = "-H 'Content-Type: application/json'"
    return f"""
Tollgate is running at {known["url"]}

  console       {known["url"]}/  (log in as {known["admin_user"]} with {known["admin_password"]})
  API key       {known["api_key"]}
  admin token   {known["admin_token"]}  (REST, see {known["url"]}/api/docs/)

A whole answer:
curl -s {call} {kind} -d '{{"model": "sim-echo", {message}}}'

A stream:
curl -sN {call} {kind} -d '{{"model": "sim-echo", "stream": true, {message}}}'

Ctrl-C stops it.
"""
