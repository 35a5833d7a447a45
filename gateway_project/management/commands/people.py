"""`manage.py people ...`: who may use console and REST, from the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets.models import Tenant
from gateway_project import administration
from gateway_project.roles import EVERYTHING, Role

ACTOR = "command:people"


class Command(BaseCommand):
    help = "Give a person a role or a new password, or make an admin token; each is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        setting = actions.add_parser("set")
        setting.add_argument("username")
        setting.add_argument("--role", choices=[role.value for role in Role], required=True)
        setting.add_argument("--tenant", help="external id; without it, all tenants")
        password = actions.add_parser("password")
        password.add_argument("username")
        factor = actions.add_parser("second-factor", help="remove it, for a lost phone")
        factor.add_argument("username")
        token = actions.add_parser("token")
        token.add_argument("name")
        token.add_argument("--scope", action="append", help="such as keys:write; default: every")
        token.add_argument("--tenant", help="external id; without it, all tenants")

    def handle(self, *args: Any, **options: Any) -> None:
        administration.open_system_log()
        match options["action"]:
            case "set":
                self._set(options)
            case "password":
                self._password(options["username"])
            case "second-factor":
                self._forget(options["username"])
            case "token":
                self._token(options)

    def _set(self, options: dict[str, Any]) -> None:
        tenant = self._tenant(options["tenant"])
        role = Role(options["role"])
        _, password = administration.set_member(ACTOR, options["username"], tenant, role)
        where = f"tenant {tenant.external_id}" if tenant else "all tenants"
        self.stdout.write(f"{options['username']} is {role.value} of {where}")
        if password:
            self.stdout.write(password)

    def _password(self, username: str) -> None:
        self.stdout.write(administration.set_password(ACTOR, _person(username)))

    def _forget(self, username: str) -> None:
        removed = administration.forget_second_factor(ACTOR, _person(username))
        self.stdout.write(f"{removed} removed: the password alone lets {username} in")

    def _token(self, options: dict[str, Any]) -> None:
        scopes = options["scope"] or sorted(EVERYTHING)
        tenant = self._tenant(options["tenant"])
        try:
            _, text = administration.create_token(ACTOR, options["name"], tenant, scopes)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text)

    def _tenant(self, external_id: str | None) -> Tenant | None:
        if external_id is None:
            return None
        tenant = Tenant.objects.filter(external_id=external_id).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {external_id!r}.")
        return tenant


def _person(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is nobody named {username!r}.")
    return user
