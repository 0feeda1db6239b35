from django.db import connections, migrations, transaction

AT_ONCE = 10_000
LAST = """SELECT instance_id, id FROM projects_user_grants WHERE (instance_id, id) > (%s, %s)
ORDER BY instance_id, id LIMIT 1 OFFSET %s"""
FILL = """UPDATE projects_user_grants SET user_org_id = users_users.org_id FROM users_users
WHERE users_users.instance_id = projects_user_grants.instance_id AND users_users.id = projects_user_grants.user_id
AND projects_user_grants.user_org_id = '' AND (projects_user_grants.instance_id, projects_user_grants.id) > (%s, %s)"""


def fill(apps, schema_editor):
    """Some rows at a time, so that running programs never wait long; what is filled stays so when it is broken off.

    The triggers rest meanwhile: nobody's rights change, so what was kept of them stays true.
    """
    database = connections[schema_editor.connection.alias]
    at = ("", "")
    while at is not None:
        with transaction.atomic(database.alias), database.cursor() as cursor:
            cursor.execute(LAST, [*at, AT_ONCE - 1])
            until = cursor.fetchone()
            if database.vendor == "postgresql":
                cursor.execute("ALTER TABLE projects_user_grants DISABLE TRIGGER USER")
            upper = " AND (projects_user_grants.instance_id, projects_user_grants.id) <= (%s, %s)" if until else ""
            cursor.execute(FILL + upper, [*at, *(until or ())])
            if database.vendor == "postgresql":
                cursor.execute("ALTER TABLE projects_user_grants ENABLE TRIGGER USER")
        at = until


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('projects', '0003_user_org_of_authorizations'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
