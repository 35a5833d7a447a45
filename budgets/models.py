"""Tenants, their keys and their money.

Tenant, ApiKey and Budget are ordinary tables that admins write. Window, Hold, Posting and Rate are
the ledger's own: only `budgets/ledger.py` writes them, Django reads them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .money import NANOS_MAX


class Tenant(models.Model):
    """A paying customer or department. Archived, never deleted: its books stay readable."""

    external_id = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=200)
    zone = models.CharField(max_length=64, default="UTC")
    zone_before = models.CharField(max_length=64, default="", blank=True)
    zone_changed_us = models.BigIntegerField(default=0)
    retention_days = models.PositiveIntegerField(default=400)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=0, db_index=True)

    def __str__(self) -> str:
        return self.external_id


class ApiKey(models.Model):
    """A bearer key of a tenant: only its HMAC is stored, and a prefix to recognise it by.

    A rotated key stays the same row, with its budgets and rate; the secret before it works until
    `previous_expires_at`.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32, unique=True)
    prefix = models.CharField(max_length=16)
    previous_digest = models.BinaryField(max_length=32, null=True, unique=True)
    previous_expires_at = models.DateTimeField(null=True)
    allowed_models = models.JSONField(default=list, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True, default=60)
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=0, db_index=True)

    def __str__(self) -> str:
        return self.prefix


class Budget(models.Model):
    """A limit of nano-dollars per period on a tenant, on one key, or on each key of a tenant."""

    class Scope(models.TextChoices):
        TENANT = "tenant"
        KEY = "key"

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="budgets")
    scope = models.CharField(max_length=16, choices=Scope)
    api_key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.PROTECT)
    period = models.CharField(max_length=16, choices=Period)
    limit_nanos = models.BigIntegerField()
    is_active = models.BooleanField(default=True)
    version = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(limit_nanos__gte=0, limit_nanos__lte=NANOS_MAX),
                name="budget_limit_in_range",
            ),
            models.UniqueConstraint(
                fields=["tenant", "scope", "api_key", "period"], name="budget_unique_of_key"
            ),
            models.UniqueConstraint(
                fields=["tenant", "scope", "period"],
                condition=models.Q(api_key=None),
                name="budget_unique_without_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.period}"


class Window(models.Model):
    """One period of one budget for one subject: what is spent, what is held, and the limit."""

    budget = models.ForeignKey(Budget, on_delete=models.DO_NOTHING, db_constraint=False)
    subject = models.TextField()
    starts_us = models.BigIntegerField()
    ends_us = models.BigIntegerField()
    limit_nanos = models.BigIntegerField()
    held_nanos = models.BigIntegerField()
    spent_nanos = models.BigIntegerField()
    over_nanos = models.BigIntegerField()

    class Meta:
        managed = False


class Rate(models.Model):
    """Where a key's request rate stands: GCRA's theoretical arrival time."""

    key_id = models.BigIntegerField(primary_key=True)
    tat = models.BigIntegerField()

    class Meta:
        managed = False


class Hold(models.Model):
    """Money set aside for one attempt, written before its first byte leaves."""

    attempt = models.CharField(max_length=32, primary_key=True)
    call = models.CharField(max_length=32)
    call_no = models.IntegerField()
    tenant_id = models.BigIntegerField()
    key_id = models.BigIntegerField()
    amount_nanos = models.BigIntegerField()
    windows = models.TextField()
    provider = models.TextField()
    model = models.TextField()
    price_id = models.BigIntegerField()
    owner = models.BigIntegerField()
    day_utc = models.TextField()
    day_local = models.TextField()
    opened_us = models.BigIntegerField()
    deadline_us = models.BigIntegerField()
    end_user = models.TextField()
    tags = models.TextField()

    class Meta:
        managed = False


class Posting(models.Model):
    """What one attempt cost, for ever. Corrections are further rows of the same attempt."""

    pk = models.CompositePrimaryKey("attempt", "no")
    attempt = models.CharField(max_length=32)
    no = models.IntegerField()
    call = models.CharField(max_length=32)
    call_no = models.IntegerField()
    tenant_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    key_id = models.BigIntegerField()
    day_utc = models.TextField()
    day_local = models.TextField()
    provider = models.TextField()
    model = models.TextField()
    price_id = models.BigIntegerField()
    basis = models.TextField()
    outcome = models.TextField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cache_read_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    held_nanos = models.BigIntegerField()
    debit_nanos = models.BigIntegerField()
    credit_nanos = models.BigIntegerField()
    upper_nanos = models.BigIntegerField()
    windows = models.TextField()
    opened_us = models.BigIntegerField()
    posted_us = models.BigIntegerField()
    end_user = models.TextField()
    tags = models.TextField()

    class Meta:
        managed = False


class DailySpend(models.Model):
    """Postings added up by day, for reports. Derived: it can be dropped and made again."""

    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, db_constraint=False)
    day_utc = models.CharField(max_length=10)
    day_local = models.CharField(max_length=10)
    key_id = models.BigIntegerField()
    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=256)
    end_user = models.CharField(max_length=256, default="")
    tags = models.CharField(max_length=1024, default="")
    attempts = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    debit_nanos = models.BigIntegerField(default=0)
    credit_nanos = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "tenant",
                    "day_utc",
                    "day_local",
                    "key_id",
                    "provider",
                    "model",
                    "end_user",
                    "tags",
                ],
                name="daily_spend_unique",
            )
        ]


class RollupMark(models.Model):
    """How far a tenant's postings have been added to DailySpend, by the chain's gapless seq."""

    tenant = models.OneToOneField(
        Tenant, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False
    )
    seq = models.BigIntegerField(default=-1)
