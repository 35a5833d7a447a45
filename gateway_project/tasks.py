"""Periodic work that needs more than one room."""

from __future__ import annotations

import logging

from celery import shared_task

from budgets import drift

logger = logging.getLogger(__name__)


@shared_task
def check_drift() -> int:
    """Hold ledger, windows and rollups against each other; each difference is an error line."""
    differences = drift.find()
    for difference in differences:
        logger.error("drift: %s", difference)
    return len(differences)
