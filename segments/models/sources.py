"""Sources, and what an SQL source asks its database."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from segments.databases.target import Encryption, Table
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.timing import Timed
from workspaces.users import somebody


class Source(TenantModel):
    """Where profiles come from. `key_column` is the column whose value is the profile's key.

    `columns` of a source of files are what was last done with each, as `column`, `attribute` and
    `keep`: the next file's are proposed the same way.
    """

    class Mode(models.TextChoices):
        UPDATE = "update", _("They stay")
        REPLACE = "replace", _("They are gone here too")

    name = models.CharField(_("name"), max_length=100)
    key_column = models.CharField(_("key column"), max_length=255, blank=True)
    mode = models.CharField(
        _("customers who are gone from the source"),
        max_length=10,
        choices=Mode.choices,
        default=Mode.UPDATE,
    )
    columns = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), editable=False
    )
    created_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="source_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class SqlQuery(Timed, TenantModel):
    """What an SQL source asks which database; a source has one, or none and is a file's.

    `segments.sql_loads` alone reads and writes the password, encrypted. It asks for a table or for
    a statement. `columns` is what `Import.columns` is: with none the source is not finished.
    """

    encrypted = ("password",)

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="queries")
    kind = models.CharField(max_length=20)
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(default=0)
    database = models.CharField(max_length=500, blank=True)
    username = models.CharField(max_length=255, blank=True)
    password = models.BinaryField(null=True, editable=False)
    encryption = models.CharField(max_length=10, default=Encryption.REQUIRE)
    options = models.JSONField(default=dict)
    statement = models.TextField(blank=True)
    table_schema = models.CharField(max_length=255, blank=True)
    table_name = models.CharField(max_length=255, blank=True)
    columns = models.JSONField(default=list)
    skip_refused = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "source"], name="one_query_per_source")
        ]

    def __str__(self) -> str:
        return self.source.name

    @property
    def is_ready(self) -> bool:
        return bool(self.columns)

    @property
    def table(self) -> Table | None:
        return Table(self.table_schema, self.table_name) if self.table_name else None

    @property
    def label(self) -> str:
        """What its loads are called."""
        return self.table.label if self.table else self.source.name
