"""What the chain says, for tests that look whether a change is told."""

from __future__ import annotations

import json
from typing import Any

from audit.models import Entry


def told(tenant: int = 0) -> list[dict[str, Any]]:
    """The bodies of a tenant's chain, or of the system's, in order."""
    rows = Entry.objects.filter(tenant=tenant).order_by("seq")
    return [json.loads(bytes(entry.body)) for entry in rows]
