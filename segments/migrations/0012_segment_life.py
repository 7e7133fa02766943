import django.contrib.postgres.fields
import django.db.models.deletion
import workspaces.tenancy
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('segments', '0011_attribute_changes'),
        ('workspaces', '0004_schedule_every_hours'),
    ]

    operations = [
        migrations.AddField(
            model_name='segment',
            name='state',
            field=models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('inactive', 'Inactive')], default='active', editable=False, max_length=20, verbose_name='state'),
        ),
        migrations.AddField(
            model_name='segment',
            name='tags',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list, editable=False, size=None),
        ),
        migrations.AddField(
            model_name='segmentrefresh',
            name='keeps_changes',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.CreateModel(
            name='SegmentChange',
            fields=[
                ('pk', models.CompositePrimaryKey('workspace_id', 'segment_id', 'refresh_id', 'profile_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('profile_id', models.BigIntegerField()),
                ('joined', models.BooleanField()),
                ('refresh', workspaces.tenancy.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='segments.segmentrefresh')),
                ('segment', workspaces.tenancy.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='segments.segment')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'abstract': False,
            },
        ),
    ]
