"""`manage.py prices sync`: copy the installed price list into the dated table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gateway_project import administration


class Command(BaseCommand):
    help = "Add the prices of the installed list that are new, and close those they replace."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["sync"])

    def handle(self, *args: Any, **options: Any) -> None:
        administration.open_system_log()
        added, closed = administration.sync_prices("command:prices")
        self.stdout.write(f"{added} prices added, {closed} closed")
