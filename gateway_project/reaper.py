"""Who is alive, and what the dead have left: holds whose owner fell silent or that ran too long."""

from __future__ import annotations

from django.db import connection

from budgets.models import Hold
from budgets.operations import Expire

from .models import Process
from .writer import now_us

LEASE_SECONDS = 15
EXPIRE_MAX = 1_000


def register(host: str) -> int:
    """Enter this process; its id owns the holds that it makes."""
    now = _now_us()
    return Process.objects.create(host=host[:255], started_us=now, beat_us=now).id


def beat(owner: int) -> None:
    Process.objects.filter(id=owner).update(beat_us=_now_us())


def expired() -> list[Expire]:
    """Operations for holds without a living owner, or past their deadline, oldest first.

    An owner that was only frozen settles later, and its settlement corrects the expiry.
    """
    now = _now_us()
    alive = set(
        Process.objects.filter(beat_us__gt=now - LEASE_SECONDS * 1_000_000).values_list(
            "id", flat=True
        )
    )
    dead = Hold.objects.exclude(owner__in=alive).values_list("attempt", flat=True)
    late = Hold.objects.filter(deadline_us__lt=now).values_list("attempt", flat=True)
    attempts = [*dead[:EXPIRE_MAX], *late[:EXPIRE_MAX]]
    return [Expire(attempt) for attempt in dict.fromkeys(attempts)]


def _now_us() -> int:
    with connection.cursor() as cursor:
        return now_us(cursor)
