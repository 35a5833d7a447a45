"""What the gateway itself keeps: routes, credentials, prices, and who is running.

Tenants, keys and money live in `budgets`, the chain in `audit`.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from budgets.models import Tenant

from .roles import Role


class Directory(models.Model):
    """One row: the version of all that admins write. Each change raises it in its transaction."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)


class Credential(models.Model):
    """A provider's address and key. The key is sealed, and is never shown again."""

    name = models.CharField(max_length=100, unique=True)
    provider = models.CharField(max_length=100)
    base_url = models.URLField(max_length=500, blank=True)
    sealed_key = models.BinaryField(blank=True, default=b"")
    is_active = models.BooleanField(default=True)
    version = models.BigIntegerField(default=0, db_index=True)

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """A public model name and where its calls go."""

    name = models.CharField(max_length=256, unique=True)
    is_active = models.BooleanField(default=True)
    output_tokens_default = models.PositiveIntegerField(default=4096)
    version = models.BigIntegerField(default=0, db_index=True)

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """One place a route's calls may go, tried in ascending `position`."""

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="targets")
    position = models.PositiveIntegerField()
    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=256)
    credential = models.ForeignKey(Credential, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["route", "position"], name="target_position_unique")
        ]
        ordering: ClassVar = ["route", "position"]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Price(models.Model):
    """A dated price list of one model. Rows are added and closed, never changed.

    `rates` holds dollars as published, as decimal text: per million tokens (`input_mtok`, ...)
    or per request; a rate with tiers reads {"base": "3", "tiers": [[200000, "6"]]}.
    """

    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=256)
    match = models.JSONField()
    rates = models.JSONField()
    context_window = models.PositiveBigIntegerField(null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    source = models.CharField(max_length=200)
    source_version = models.CharField(max_length=50)
    version = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "model"],
                condition=models.Q(valid_to=None),
                name="price_one_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Membership(models.Model):
    """What a person may do, in one tenant or, where `tenant` is null, in all of them."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT)
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "tenant"], name="membership_unique"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(tenant=None), name="membership_of_all_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.role


class AdminToken(models.Model):
    """A bearer token for the management API: only its HMAC is stored."""

    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32, unique=True)
    prefix = models.CharField(max_length=16)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT)
    scopes = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.prefix


class LoggedCall(models.Model):
    """The request log: one call, or `count` refusals of one kind within a minute. No bodies.

    What a call cost stands in the ledger alone; `attempts` are the ids of its postings there.
    """

    call = models.CharField(max_length=40, unique=True)
    tenant_id = models.BigIntegerField()
    key_id = models.BigIntegerField()
    model = models.CharField(max_length=256)
    end_user = models.CharField(max_length=256)
    tags = models.CharField(max_length=1024)
    provider = models.CharField(max_length=100)
    attempts = models.CharField(max_length=512)
    status = models.PositiveIntegerField()
    code = models.CharField(max_length=64)
    message = models.CharField(max_length=600)
    is_stream = models.BooleanField()
    opened_us = models.BigIntegerField()
    milliseconds = models.BigIntegerField()
    first_milliseconds = models.BigIntegerField(null=True)
    count = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["opened_us", "id"], name="logged_call_time"),
            models.Index(fields=["tenant_id", "opened_us", "id"], name="logged_call_tenant_time"),
        ]

    def __str__(self) -> str:
        return self.call


class LogMark(models.Model):
    """How far a tenant's postings have been looked through for calls that the log lacks."""

    tenant_id = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=-1)


class Process(models.Model):
    """A running gateway and its heartbeat; holds of a process that fell silent are expired."""

    host = models.CharField(max_length=255)
    started_us = models.BigIntegerField()
    beat_us = models.BigIntegerField()
