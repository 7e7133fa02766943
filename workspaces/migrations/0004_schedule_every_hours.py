
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workspaces', '0003_refresh_steps'),
    ]

    operations = [
        migrations.AddField(
            model_name='schedule',
            name='every_hours',
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
