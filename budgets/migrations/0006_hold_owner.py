from django.db import migrations


class Migration(migrations.Migration):
    """No query ever used this index: the reaper asks who is *not* among the living."""

    dependencies = [
        ('budgets', '0005_zone_change'),
    ]

    operations = [
        migrations.RunSQL(
            "DROP INDEX budgets_hold_owner",
            "CREATE INDEX budgets_hold_owner ON budgets_hold (owner)",
        ),
    ]
