"""`manage.py keys create|revoke`: API keys of a tenant, from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets.models import ApiKey, Tenant
from gateway_project import administration, vault

ACTOR = "command:keys"


class Command(BaseCommand):
    help = "Create a key (shown once) or revoke one by its prefix."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create")
        create.add_argument("--tenant", required=True, help="external id; made if it is new")
        create.add_argument("--zone", default="UTC", help="time zone of a new tenant")
        create.add_argument("--name", default="key")
        create.add_argument("--models", default="", help="allowed models, comma-separated")
        create.add_argument("--rpm", type=int, default=60, help="requests a minute; 0: no limit")
        revoke = actions.add_parser("revoke")
        revoke.add_argument("prefix", help="the key or its prefix")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "create":
            self._create(options)
        else:
            self._revoke(options["prefix"][: vault.PREFIX_LENGTH])

    def _create(self, options: dict[str, Any]) -> None:
        administration.open_system_log()
        name = options["tenant"]
        tenant = Tenant.objects.filter(external_id=name).first()
        if tenant is None:
            tenant = administration.create_tenant(ACTOR, name, name, options["zone"])
        _, text = administration.create_key(
            ACTOR,
            tenant,
            options["name"],
            allowed_models=[part for part in options["models"].split(",") if part],
            requests_per_minute=options["rpm"] or None,
        )
        self.stdout.write(text)

    def _revoke(self, prefix: str) -> None:
        found = list(ApiKey.objects.filter(prefix=prefix, is_active=True)[:2])
        if len(found) != 1:
            raise CommandError(f"{len(found)} active keys have the prefix {prefix!r}.")
        administration.revoke_key(ACTOR, found[0])
        self.stdout.write(f"{prefix} is revoked")
