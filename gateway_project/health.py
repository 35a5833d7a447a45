"""`/healthz`: the process answers. `/readyz`: it can serve calls."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from audit.log import missing_triggers
from budgets import tables

from .models import Price


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every check says "ok"; 503 names those that do not."""
    try:
        checks = _checks()
    except DatabaseError as error:
        checks = {"database": type(error).__name__}
    is_ready = all(value == "ok" for value in checks.values())
    status = {"status": "ok" if is_ready else "not ready", "checks": checks}
    return JsonResponse(status, status=200 if is_ready else 503)


def _checks() -> dict[str, str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    triggers = missing_triggers(connection) + missing_triggers(connection, tables.TRIGGERS)
    return {
        "database": "ok",
        "migrations": f"{len(plan)} to apply" if plan else "ok",
        "prices": "ok" if Price.objects.filter(valid_to=None).exists() else "none",
        "append_only": f"missing {', '.join(triggers)}" if triggers else "ok",
    }
