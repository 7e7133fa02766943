import django.contrib.postgres.fields
import django.db.models.deletion
import workspaces.tenancy
from django.db import migrations, models

from workspaces.tenancy import TenantKeys


class Migration(migrations.Migration):

    dependencies = [
        ('workspaces', '0002_tenant_keys'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='refresh',
            name='stages',
        ),
        migrations.AddField(
            model_name='refresh',
            name='planned_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='RefreshStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('kind', models.CharField(max_length=20)),
                ('object_id', models.BigIntegerField()),
                ('name', models.CharField(max_length=255)),
                ('needs', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), blank=True, default=list, size=None)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('skipped', 'Skipped')], default='waiting', max_length=20)),
                ('reason', models.TextField(blank=True)),
                ('counts', models.JSONField(default=dict)),
                ('started_at', models.DateTimeField(editable=False, null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('refresh', workspaces.tenancy.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='workspaces.refresh')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('workspace', 'refresh', 'position'), name='refresh_step_position')],
            },
        ),
        TenantKeys('RefreshStep'),
    ]
