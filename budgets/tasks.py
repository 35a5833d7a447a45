"""The worker's tasks: each can run twice, late or never without a wrong figure."""

from __future__ import annotations

import time

from celery import shared_task
from django.db import connection

from . import rollups, store
from .models import Budget
from .operations import WindowKey
from .standings import interval

AHEAD_US = 3_600_000_000


@shared_task
def roll_up() -> int:
    """Add new postings to DailySpend."""
    return rollups.roll_up()


@shared_task
def open_next_windows() -> int:
    """Make the tenant windows that begin within the hour, so that the first call finds its row."""
    now_us = time.time_ns() // 1000
    keys = []
    for budget in Budget.objects.filter(is_active=True, scope="tenant").select_related("tenant"):
        ends_us = interval(budget.tenant, budget.period, now_us).ends_us
        following = interval(budget.tenant, budget.period, ends_us)
        if following.starts_us - now_us <= AHEAD_US:
            keys.append(WindowKey(budget.id, "", following.starts_us, following.ends_us, ""))
    with connection.cursor() as cursor:
        return len(store.open_windows(cursor, connection.vendor, keys))
