from django.db import migrations

from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0006_reasons_in_the_readers_language"),
    ]

    operations = [
        RowSecurity("Membership", across=True),
        RowSecurity("Schedule", across=True),
        RowSecurity("Refresh", across=True),
        RowSecurity("RefreshStep"),
        RowSecurity("AuditEntry"),
        RowSecurity("Invitation", across=True),
    ]
