"""The epochs, and on PostgreSQL the function of the triggers that renew them."""

from typing import Any

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION cache_renew() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    it jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    changed text := (it ->> 'instance_id') || CASE WHEN TG_NARGS > 1 THEN '/' || (it ->> TG_ARGV[1]) ELSE '' END;
    mine text := pg_current_xact_id()::text;
    done text;
BEGIN
    SELECT renewed_by INTO done FROM cache_epochs WHERE scope = changed;
    IF split_part(done, ' ', 1) = mine AND position(TG_ARGV[0] IN done) > 0 THEN
        RETURN NULL;
    END IF;
    INSERT INTO cache_epochs AS e (scope, memberships, organization, oidc, renewed_by)
    VALUES (changed, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), mine || ' ' || TG_ARGV[0])
    ON CONFLICT (scope) DO UPDATE SET
        memberships = CASE WHEN TG_ARGV[0] = 'memberships' THEN gen_random_uuid()::text ELSE e.memberships END,
        organization = CASE WHEN TG_ARGV[0] = 'organization' THEN gen_random_uuid()::text ELSE e.organization END,
        oidc = CASE WHEN TG_ARGV[0] = 'oidc' THEN gen_random_uuid()::text ELSE e.oidc END,
        renewed_by = CASE WHEN split_part(e.renewed_by, ' ', 1) = mine
                          THEN e.renewed_by || ' ' || TG_ARGV[0] ELSE mine || ' ' || TG_ARGV[0] END;
    RETURN NULL;
END $$
"""


def create(apps: Any, schema_editor: Any) -> None:
    """The function; SQLite needs none."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    """Undo."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS cache_renew() CASCADE", params=None)


class Migration(migrations.Migration):
    """Additive: no table of another room changes."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="EpochRow",
            fields=[
                ("scope", models.CharField(max_length=401, primary_key=True, serialize=False)),
                ("memberships", models.CharField(default="", max_length=40)),
                ("organization", models.CharField(default="", max_length=40)),
                ("oidc", models.CharField(default="", max_length=40)),
                ("renewed_by", models.CharField(default="", max_length=200)),
            ],
            options={"db_table": "cache_epochs"},
        ),
        migrations.RunPython(create, remove),
    ]
