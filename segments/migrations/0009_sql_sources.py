import django.contrib.postgres.fields
import django.db.models.deletion
import workspaces.tenancy
from django.db import migrations, models

from workspaces.tenancy import TenantKeys


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0008_source_modes'),
        ('workspaces', '0004_schedule_every_hours'),
    ]

    operations = [
        migrations.AddField(
            model_name='import',
            name='trigger',
            field=models.CharField(choices=[('member', 'A member'), ('refresh', 'A refresh'), ('schedule', 'Its own schedule')], default='member', max_length=20),
        ),
        migrations.CreateModel(
            name='SqlQuery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('schedule', models.CharField(choices=[('refresh', 'With every refresh'), ('own', 'Own schedule'), ('off', 'Off')], default='refresh', max_length=20, verbose_name='schedule')),
                ('days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, size=None)),
                ('times', django.contrib.postgres.fields.ArrayField(base_field=models.TimeField(), blank=True, default=list, size=None)),
                ('time_zone', models.CharField(default='UTC', max_length=60, verbose_name='time zone')),
                ('next_run_at', models.DateTimeField(editable=False, null=True)),
                ('kind', models.CharField(max_length=20)),
                ('host', models.CharField(blank=True, max_length=255)),
                ('port', models.PositiveIntegerField(default=0)),
                ('database', models.CharField(blank=True, max_length=500)),
                ('username', models.CharField(blank=True, max_length=255)),
                ('password', models.BinaryField(null=True)),
                ('encryption', models.CharField(default='require', max_length=10)),
                ('options', models.JSONField(default=dict)),
                ('statement', models.TextField(blank=True)),
                ('table_schema', models.CharField(blank=True, max_length=255)),
                ('table_name', models.CharField(blank=True, max_length=255)),
                ('columns', models.JSONField(default=list)),
                ('skip_refused', models.BooleanField(default=False)),
                ('source', workspaces.tenancy.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='queries', to='segments.source')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'source'), name='one_query_per_source')],
            },
        ),
        TenantKeys("SqlQuery"),
    ]
