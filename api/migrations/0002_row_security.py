from django.db import migrations

from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0001_initial"),
    ]

    operations = [
        RowSecurity("Token", across=True),
        RowSecurity("KeptAnswer"),
    ]
