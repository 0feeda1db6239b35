from django.db import migrations, models

# The program before goes on adding rows while the pods roll, and does not know the column.
TRIGGER = """
CREATE FUNCTION projects_user_org() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT org_id INTO NEW.user_org_id FROM users_users WHERE instance_id = NEW.instance_id AND id = NEW.user_id;
  NEW.user_org_id := coalesce(NEW.user_org_id, '');
  RETURN NEW;
END $$;
CREATE TRIGGER projects_user_org BEFORE INSERT ON projects_user_grants
  FOR EACH ROW WHEN (NEW.user_org_id = '') EXECUTE FUNCTION projects_user_org();
"""


def remember(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TRIGGER)


def forget(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER projects_user_org ON projects_user_grants; DROP FUNCTION projects_user_org()")


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0002_lists_and_logins'),
        ('users', '0004_user_lists'),
    ]

    operations = [
        migrations.AddField(
            model_name='usergrantrow',
            name='user_org_id',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
        migrations.RunPython(remember, forget),
    ]
