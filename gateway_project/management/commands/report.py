"""`manage.py report spend|focus`: a cost report as a file, of every tenant or of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets.reports import Ask, BadAsk
from gateway_project.reporting import asking, files
from gateway_project.reporting.pieces import Pieces

FILTERS = ("tenant", "key", "user", "provider", "model", "tag")


class Command(BaseCommand):
    help = "Write a cost report: spend, cut by anything, or the FOCUS 1.4 cost and usage file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=["spend", "focus"])
        parser.add_argument("--since", required=True, help="first day, such as 2026-11-01")
        parser.add_argument("--until", required=True, help="first day that is not in it")
        parser.add_argument("--by", default="", help="cuts with commas between: day,tenant,model")
        parser.add_argument("--clock", choices=["utc", "tenant"], default="utc")
        parser.add_argument("--format", choices=list(files.FILES), default="csv")
        parser.add_argument("--out", required=True, help="the file to write")
        for name in FILTERS:
            parser.add_argument(f"--{name}", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("since", "until", "by", "clock", *FILTERS)
        try:
            ask = asking.read({name: options[name] for name in names}, None)
            size = _write(Path(options["out"]), _made(ask, options))
        except BadAsk as error:
            raise CommandError(f"--{error.param} {error}") from error
        self.stdout.write(f"{size} bytes written to {options['out']}")


def _made(ask: Ask, options: dict[str, Any]) -> Pieces:
    if options["kind"] == "focus":
        alien = [name for name in ("by", *FILTERS[1:]) if options[name]]
        if alien:
            raise BadAsk(alien[0], "is for spend; FOCUS takes --since, --until and --tenant.")
        return files.focus(ask.since, ask.until, ask.tenants)
    return files.spend(ask, options["format"])


def _write(path: Path, made: Pieces) -> int:
    """A report that fails leaves no file that looks like one."""
    waiting = path.with_name(f"{path.name}.part")
    try:
        with waiting.open("wb") as file:
            size = sum(file.write(piece) for piece in made)
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
    return size
