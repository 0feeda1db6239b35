from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0004_fill_user_org'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='usergrantrow',
            index=models.Index(fields=['instance_id', 'user_org_id', 'user_id', 'id'], name='usergrants_user_org'),
        ),
    ]
