"""`manage.py audit verify`: check every chain, and every posting against its entry."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gateway_project import verification


class Command(BaseCommand):
    help = "Verify the audit chains; exit status 1 names the first bad entry of each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])
        parser.add_argument("--tenant", type=int, help="the number of one tenant; 0: the system")

    def handle(self, *args: Any, **options: Any) -> None:
        report = verification.verify(options["tenant"])
        for bad in report.bad:
            self.stderr.write(f"BAD: tenant {bad.tenant}, entry {bad.seq}: {bad.reason}")
        total = sum(report.entries.values())
        state = "intact" if report.is_intact else "BROKEN"
        self.stdout.write(f"{len(report.entries)} chains, {total} entries checked: {state}")
        if not report.is_intact:
            sys.exit(1)
