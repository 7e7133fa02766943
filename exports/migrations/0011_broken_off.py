from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0010_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="broken_off",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="run",
            name="broken_off",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
