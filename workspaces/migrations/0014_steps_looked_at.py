from django.db import migrations

from workspaces.tenancy import SeenAcross


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0013_two_step_and_domains")]

    operations = [SeenAcross("RefreshStep")]
