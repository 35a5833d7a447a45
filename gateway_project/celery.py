"""The Celery application and one table of periodic work. Limits never depend on any of it."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

from django.conf import settings  # reads the environment that is set above


def _broker() -> dict[str, Any]:
    """Redis where there is one; otherwise folders in the data folder."""
    if settings.REDIS_URL:
        return {"broker_url": settings.REDIS_URL}
    folder = settings.DATA / "broker"
    for name in ("messages", "processed"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://",
        "broker_transport_options": {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "processed_folder": str(folder / "processed"),
            "control_folder": str(folder / "control"),
        },
    }


app = Celery("tollgate")
app.conf.update(
    **_broker(),
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    task_time_limit=600,
    beat_schedule={
        "add up postings": {
            "task": "budgets.tasks.roll_up",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "open the next windows": {
            "task": "budgets.tasks.open_next_windows",
            "schedule": 600.0,
            "options": {"expires": 600},
        },
        "complete the request log": {
            "task": "gateway_project.tasks.complete_log",
            "schedule": 30.0,
            "options": {"expires": 30},
        },
        "end old lines of the request log": {
            "task": "gateway_project.tasks.prune_log",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "check for drift": {
            "task": "gateway_project.tasks.check_drift",
            "schedule": 300.0,
            "options": {"expires": 300},
        },
    },
)
app.autodiscover_tasks(["budgets", "gateway_project"])
