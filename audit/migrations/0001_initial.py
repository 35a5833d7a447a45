from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models

POSTGRES = [
    """CREATE TABLE audit_head (tenant BIGINT PRIMARY KEY, seq BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32), ts_us BIGINT NOT NULL)
    WITH (fillfactor=50)""",
    """CREATE TABLE audit_entry (tenant BIGINT NOT NULL, seq BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32), body BYTEA NOT NULL,
    PRIMARY KEY (tenant, seq))""",
    """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE='restrict_violation';
    END $$""",
    """CREATE TRIGGER audit_entry_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()""",
    """CREATE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
]
SQLITE = [
    """CREATE TABLE audit_head (tenant INTEGER PRIMARY KEY, seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32), ts_us INTEGER NOT NULL) STRICT""",
    """CREATE TABLE audit_entry (tenant INTEGER NOT NULL, seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32), body BLOB NOT NULL,
    PRIMARY KEY (tenant, seq)) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER audit_entry_update BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END""",
    """CREATE TRIGGER audit_entry_delete BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END""",
    """CREATE TRIGGER audit_entry_insert BEFORE INSERT ON audit_entry
    WHEN EXISTS (SELECT 1 FROM audit_entry WHERE tenant = NEW.tenant AND seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END""",
]


def create(apps: Any, schema_editor: Any) -> None:
    is_postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in POSTGRES if is_postgres else SQLITE:
            cursor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP TABLE audit_entry")
        cursor.execute("DROP TABLE audit_head")
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION audit_append_only()")


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = []
    operations: ClassVar = [
        migrations.RunPython(create, drop),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("tenant", models.BigIntegerField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                ("ts_us", models.BigIntegerField()),
            ],
            options={"managed": False},
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant", "seq", blank=True, editable=False, primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                ("body", models.BinaryField()),
            ],
            options={"managed": False},
        ),
    ]
