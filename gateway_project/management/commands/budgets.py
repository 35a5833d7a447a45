"""`manage.py budgets set|show`: limits of tenants and keys, from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets.models import ApiKey, Tenant, Window
from budgets.money import dollars, parse_dollars
from budgets.periods import iso
from gateway_project import administration, vault


class Command(BaseCommand):
    help = "Set a daily or monthly limit in dollars, or show windows with spent and held."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        setting = actions.add_parser("set")
        setting.add_argument("--tenant", required=True)
        setting.add_argument("--key", help="a key or its prefix; without it, the tenant's budget")
        setting.add_argument("--period", choices=["day", "month"], required=True)
        setting.add_argument("--limit", required=True, help="dollars, such as 4.00")
        show = actions.add_parser("show")
        show.add_argument("--tenant", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(external_id=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        if options["action"] == "set":
            self._set(tenant, options)
        else:
            self._show(tenant)

    def _set(self, tenant: Tenant, options: dict[str, Any]) -> None:
        try:
            limit_nanos = parse_dollars(options["limit"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        key = None
        if options["key"]:
            key = ApiKey.objects.filter(
                tenant=tenant, prefix=options["key"][: vault.PREFIX_LENGTH]
            ).first()
            if key is None:
                raise CommandError(
                    f"The tenant has no key {options['key'][: vault.PREFIX_LENGTH]!r}."
                )
        administration.set_budget(
            "command:budgets", tenant, options["period"], limit_nanos, key=key
        )
        self.stdout.write(f"{dollars(limit_nanos)} per {options['period']}")

    def _show(self, tenant: Tenant) -> None:
        rows = Window.objects.filter(budget__tenant=tenant).select_related("budget")
        for window in rows.order_by("starts_us", "id"):
            self.stdout.write(
                f"{window.budget.scope} {window.subject} {window.budget.period} "
                f"from {iso(window.starts_us)} to {iso(window.ends_us)}: "
                f"spent {dollars(window.spent_nanos)}, held {dollars(window.held_nanos)}, "
                f"limit {dollars(window.limit_nanos)}"
            )
