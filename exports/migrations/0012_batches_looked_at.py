from django.db import migrations

from exports import batches_sql


class Migration(migrations.Migration):
    dependencies = [("exports", "0011_broken_off")]

    operations = [
        migrations.RunSQL(batches_sql.STATE + ";" + batches_sql.SHOWN, batches_sql.UNDO),
    ]
