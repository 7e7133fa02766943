from django.db import migrations

from workspaces.tenancy import TenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0001_initial"),
        ("workspaces", "0002_tenant_keys"),
    ]

    operations = [
        TenantKeys("Source"),
        TenantKeys("Attribute"),
        TenantKeys("Import"),
        TenantKeys("RefusedRow"),
        TenantKeys("Profile"),
        TenantKeys("Segment"),
        TenantKeys("SegmentRefresh"),
    ]
