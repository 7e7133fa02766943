from django.db import migrations

from workspaces.tenancy import TenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0001_initial"),
        ("workspaces", "0002_tenant_keys"),
    ]

    operations = [
        TenantKeys("Connection"),
        TenantKeys("Consent"),
    ]
