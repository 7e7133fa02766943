import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from workspaces import audit_chain_sql
from workspaces.tenancy import RowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0008_row_security"),
    ]

    operations = [
        migrations.AddField(
            "workspace",
            "audit_days",
            models.PositiveIntegerField(
                blank=True,
                choices=[(365, "1 year"), (730, "2 years"), (1826, "5 years"), (3652, "10 years")],
                null=True,
                verbose_name="keep the audit log for",
            ),
        ),
        migrations.AddConstraint(
            "workspace",
            models.CheckConstraint(
                condition=models.Q(("audit_days__gte", 365)), name="audit_kept_long_enough"
            ),
        ),
        migrations.AlterField(
            "auditentry",
            "actor",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            "AuditLink",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "workspace_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("entry_id", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "workspace",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "auditlink",
            models.UniqueConstraint(fields=("workspace", "entry_id"), name="one_link_of_an_entry"),
        ),
        RowSecurity("AuditLink"),
        migrations.RunSQL(audit_chain_sql.TEXT, migrations.RunSQL.noop),
        migrations.RunSQL(audit_chain_sql.ADD_LINK, migrations.RunSQL.noop),
        migrations.RunSQL(audit_chain_sql.LINK_KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(audit_chain_sql.APPEND_ONLY, migrations.RunSQL.noop),
        migrations.RunSQL(audit_chain_sql.FORGET, audit_chain_sql.UNDO),
    ]
