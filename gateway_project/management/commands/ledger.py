"""`manage.py ledger check`: do ledger, windows and rollups agree?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from budgets import drift
from budgets.models import Hold, Posting


class Command(BaseCommand):
    help = "Check the ledger against its windows and rollups; exit status 1 names differences."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["check"])

    def handle(self, *args: Any, **options: Any) -> None:
        differences = drift.find()
        for difference in differences:
            self.stderr.write(str(difference))
        self.stdout.write(
            f"{Posting.objects.count()} postings, {Hold.objects.count()} open holds, "
            f"{len(differences)} differences"
        )
        if differences:
            sys.exit(1)
