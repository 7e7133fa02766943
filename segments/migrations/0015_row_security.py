from django.db import migrations

from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0014_reasons_in_the_readers_language"),
    ]

    operations = [
        RowSecurity("Source"),
        RowSecurity("SqlQuery", across=True),
        RowSecurity("Import", across=True),
        RowSecurity("Upload", across=True),
        RowSecurity("RefusedRow"),
        RowSecurity("Attribute"),
        RowSecurity("AttributeChange", across=True),
        RowSecurity("Profile"),
        RowSecurity("Suppression"),
        RowSecurity("Segment", across=True),
        RowSecurity("SegmentEntry"),
        RowSecurity("SegmentMember"),
        RowSecurity("SegmentRefresh"),
        RowSecurity("SegmentChange"),
        RowSecurity("Erasure", across=True),
        RowSecurity("ErasedIdentity"),
        RowSecurity("ErasureSecret"),
    ]
