from django.db import migrations

from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0003_reasons_in_the_readers_language"),
    ]

    operations = [
        RowSecurity("Connection"),
        RowSecurity("Consent"),
    ]
