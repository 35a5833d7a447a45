"""The chain's two tables, for reading; only `audit/log.py` writes them. Tenant 0 is the system."""

from __future__ import annotations

from django.db import models


class Head(models.Model):
    """Where a tenant's chain ends; its row lock is what keeps the chain from forking."""

    tenant = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField()
    hash = models.BinaryField()
    ts_us = models.BigIntegerField()

    class Meta:
        managed = False


class Entry(models.Model):
    """One link; `body` is the bytes that were hashed."""

    pk = models.CompositePrimaryKey("tenant", "seq")
    tenant = models.BigIntegerField()
    seq = models.BigIntegerField()
    hash = models.BinaryField()
    body = models.BinaryField()

    class Meta:
        managed = False
