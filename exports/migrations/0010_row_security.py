from django.db import migrations

from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0009_runs_by_the_api"),
    ]

    operations = [
        RowSecurity("Destination", across=True),
        RowSecurity("DestinationSegment"),
        RowSecurity("Run", across=True),
        RowSecurity("Batch"),
        RowSecurity("BatchContacts"),
        RowSecurity("Delivery"),
        RowSecurity("OptOut"),
        RowSecurity("PreferencePull"),
        RowSecurity("Rejection"),
        RowSecurity("ErasurePlace"),
    ]
