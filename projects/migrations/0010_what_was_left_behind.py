from django.db import migrations

from projects import user_names

# Authorizations of users who went with their organization stayed until now, and administrators of grants that were taken
# back. Where set-up was ended while it copied names, nobody went on.


def copy(apps, schema_editor):
    """Names that are not what users are called. The triggers may be missing still: set-up makes them after this."""
    user_names.fill(schema_editor.connection.alias)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('projects', '0009_enter_holders_of_roles'),
        ('users', '0008_invitations_sent'),
        ('access', '0002_lists_and_logins'),
    ]

    operations = [
        migrations.RunSQL(
            """DELETE FROM projects_user_grants WHERE NOT EXISTS (SELECT 1 FROM users_users
            WHERE users_users.instance_id = projects_user_grants.instance_id AND users_users.id = projects_user_grants.user_id)""",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            """DELETE FROM access_memberships WHERE level = 'grant' AND NOT EXISTS (SELECT 1 FROM projects_grants
            WHERE projects_grants.instance_id = access_memberships.instance_id AND projects_grants.id = access_memberships.resource_id)""",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(copy, migrations.RunPython.noop),
    ]
