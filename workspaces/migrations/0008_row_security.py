from django.db import migrations

from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0007_notices"),
    ]

    operations = [
        RowSecurity("Membership", across=True),
        RowSecurity("Schedule", across=True),
        RowSecurity("Refresh", across=True),
        RowSecurity("RefreshStep"),
        RowSecurity("AuditEntry"),
        RowSecurity("Invitation", across=True),
        RowSecurity("Endpoint"),
        RowSecurity("Event"),
        RowSecurity("EndpointDelivery", across=True),
        RowSecurity("Notice", across=True),
        RowSecurity("NoticeChoice"),
        RowSecurity("Trouble"),
    ]
