from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from budgets import tables


class Migration(migrations.Migration):
    dependencies: ClassVar = [("budgets", "0001_initial")]
    operations: ClassVar = [migrations.RunPython(tables.create, tables.drop)]
