"""Periodic work that needs more than one room."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import connection

from budgets import drift

from . import log_upkeep
from .writer import now_us

logger = logging.getLogger(__name__)


@shared_task
def check_drift() -> int:
    """Hold ledger, windows and rollups against each other; each difference is an error line."""
    differences = drift.find()
    for difference in differences:
        logger.error("drift: %s", difference)
    return len(differences)


@shared_task
def complete_log() -> int:
    """Lines of calls whose process was killed before it wrote them."""
    return log_upkeep.catch_up(_now_us())


@shared_task
def prune_log() -> int:
    """End the lines that are older than their tenant keeps them."""
    return log_upkeep.prune(_now_us())


def _now_us() -> int:
    with connection.cursor() as cursor:
        return now_us(cursor)
