from django.db import migrations

from workspaces.tenancy import TenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0001_initial"),
    ]

    operations = [
        TenantKeys("Membership"),
        TenantKeys("Schedule"),
        TenantKeys("Refresh"),
        TenantKeys("AuditEntry"),
        TenantKeys("Invitation"),
    ]
