
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0003_import_attempts'),
        ('workspaces', '0004_schedule_every_hours'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('pk', models.CompositePrimaryKey('workspace_id', 'address', blank=True, editable=False, primary_key=True, serialize=False)),
                ('address', models.CharField(db_collation='C', max_length=254)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('origin', models.CharField(choices=[('member', 'By hand'), ('file', 'From a file')], max_length=20)),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('added_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'abstract': False,
            },
        ),
    ]
