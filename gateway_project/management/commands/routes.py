"""`manage.py routes set`: a public model name and its targets, from the command line."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway_project import administration
from gateway_project.models import Credential, Route
from providers.catalog import PROVIDERS


class Command(BaseCommand):
    help = "Set a route: routes set fast --target simulator/sim-fixed --target simulator/sim-echo"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        setting = actions.add_parser("set")
        setting.add_argument("name")
        setting.add_argument("--target", action="append", required=True, help="provider/model")
        setting.add_argument("--base-url", help="the address of all targets, instead of their own")
        setting.add_argument("--key-variable", help="environment variable with the provider's key")
        actions.add_parser("list")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            for route in Route.objects.filter(is_active=True).order_by("name"):
                labels = ", ".join(str(target) for target in route.targets.all())
                self.stdout.write(f"{route.name}: {labels}")
            return
        targets = [self._target(text, options) for text in options["target"]]
        administration.open_system_log()
        administration.set_route("command:routes", options["name"], targets)
        self.stdout.write(f"{options['name']}: {len(targets)} targets")

    def _target(self, text: str, options: dict[str, Any]) -> tuple[str, str, Credential | None]:
        provider, _, model = text.partition("/")
        if provider not in PROVIDERS or not model:
            raise CommandError(f"{text!r} is not provider/model; providers: {sorted(PROVIDERS)}")
        if not options["base_url"]:
            return provider, model, None
        secret = os.environ.get(options["key_variable"] or "", "")
        credential = administration.set_credential(
            "command:routes",
            f"{options['name']}-{provider}",
            provider,
            base_url=options["base_url"],
            secret=secret,
        )
        return provider, model, credential
