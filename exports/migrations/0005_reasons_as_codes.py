from django.db import migrations, models

KEEP = """
UPDATE exports_{table} SET why = jsonb_build_object('code', 'told', 'text', reason)
WHERE reason <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("exports", "0004_opt_outs")]

    operations = [
        migrations.AddField("run", "why", models.JSONField(default=dict, editable=False)),
        migrations.AddField("batch", "why", models.JSONField(default=dict, editable=False)),
        migrations.RunSQL(KEEP.format(table="run"), migrations.RunSQL.noop),
        migrations.RunSQL(KEEP.format(table="batch"), migrations.RunSQL.noop),
        migrations.RemoveField("run", "reason"),
        migrations.RemoveField("batch", "reason"),
    ]
