"""`manage.py doctor`: is this installation sound?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from gateway_project import doctor


class Command(BaseCommand):
    help = "Check the installation; exit status 1 if anything would lose money or calls."

    def handle(self, *args: Any, **options: Any) -> None:
        has_failed = False
        for finding in doctor.examine():
            has_failed = has_failed or finding.state == "failed"
            self.stdout.write(f"{finding.state:8} {finding.what}: {finding.text}")
        if has_failed:
            sys.exit(1)
