from django.db import migrations

from projections import by_database
from projects import role_keys

# A server does not start before this is noted as done: it would read pages from a table that is not full yet.


def enter(apps, schema_editor):
    """Triggers and all that is there; from the start again when it was broken off."""
    using = schema_editor.connection.alias
    by_database.make(role_keys.KEPT, using)
    role_keys.fill(using)


def leave(apps, schema_editor):
    on = " ON projects_user_grants" if schema_editor.connection.vendor == "postgresql" else ""
    for name in role_keys.EVENTS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('projects', '0008_holders_of_roles'),
    ]

    operations = [
        migrations.RunPython(enter, leave),
    ]
