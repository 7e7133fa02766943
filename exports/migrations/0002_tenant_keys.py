from django.db import migrations

from workspaces.tenancy import TenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0001_initial"),
        ("segments", "0002_tenant_keys"),
        ("connections", "0002_tenant_keys"),
    ]

    operations = [
        TenantKeys("Destination"),
        TenantKeys("DestinationSegment"),
        TenantKeys("Run"),
        TenantKeys("Batch"),
        TenantKeys("Rejection"),
        # A batch's request is written once and read once: compressing it would cost more.
        migrations.RunSQL(
            "ALTER TABLE exports_batch ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE exports_batch ALTER COLUMN body SET STORAGE EXTENDED",
        ),
    ]
