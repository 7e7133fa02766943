"""Sources and their imports, attributes, profiles, segments and their members."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from segments.databases.target import Encryption, Table
from workspaces.sentences import SentenceField
from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel
from workspaces.timing import Timed
from workspaces.users import somebody


class AttributeType(models.TextChoices):
    TEXT = "text", _("Text")
    INTEGER = "integer", _("Whole number")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    DATETIME = "datetime", _("Date and time")
    BOOLEAN = "boolean", _("Yes/No")
    LIST = "list", _("List of texts")


class Source(TenantModel):
    """Where profiles come from. `key_column` is the column whose value is the profile's key."""

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


class Attribute(TenantModel):
    """A typed field of the workspace's profiles; `name` is its key in `Profile.attributes`.

    `format` is how its source writes it, where the type has several forms (`segments.conversion`).
    """

    name = models.CharField(max_length=255)
    label = models.CharField(_("name"), max_length=255)
    type = models.CharField(_("type"), max_length=20, choices=AttributeType.choices)
    format = models.CharField(max_length=20, blank=True)
    source = TenantForeignKey(
        Source, null=True, on_delete=models.SET_NULL, related_name="attributes"
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="attribute_name_unique")
        ]

    def __str__(self) -> str:
        return self.label


class AttributeChange(TenantModel):
    """A new type for an attribute, or its removal from every profile, carried out by a worker.

    Values that do not convert stop it, or are emptied where `empties` says so: `failing` of
    `values`. `changed` is in how many profiles something was written, `attempts` how often a worker
    began it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    UNFINISHED = (State.QUEUED, State.RUNNING)

    attribute = TenantForeignKey(
        Attribute, null=True, on_delete=models.SET_NULL, related_name="changes"
    )
    name = models.CharField(max_length=255)
    removes = models.BooleanField(default=False)
    type = models.CharField(max_length=20, choices=AttributeType.choices, blank=True)
    format = models.CharField(max_length=20, blank=True)
    empties = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(blank=True)
    stage = models.CharField(max_length=40, blank=True)
    values = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    failing = models.BigIntegerField(default=0)
    started_by = somebody()
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "attribute"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_change_of_an_attribute",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED


class Import(TenantModel):
    """One load of a source: of a file, or of the rows that its query gives.

    `checksum` is the SHA-256 of the file as it came, where that is known.

    `columns` is a list of `{"column", "attribute", "label", "type", "keep"}`, the person's choice;
    `dialect` what the sniffer found. read = added + changed + unchanged + superseded + refused.
    `removed` profiles were gone from a source that replaces. Where those would have been too many
    the import failed with `removals_asked`, which another one of that file may go up to once they
    are approved. `taken_over` names the attributes that it may take from other sources.
    `attempts` is how often a worker began it: one that dies of it is not to be followed for ever.
    """

    class Trigger(models.TextChoices):
        MEMBER = "member", _("A member")
        REFRESH = "refresh", _("A refresh")
        SCHEDULE = "schedule", _("Its own schedule")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=255)
    file_path = models.CharField(max_length=500)
    file_bytes = models.BigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True)
    dialect = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    skip_refused = models.BooleanField(_("skip the rows that can't be read"), default=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.MEMBER)
    reason = SentenceField(blank=True)
    stage = models.CharField(max_length=40, blank=True)
    read = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    superseded = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    mode = models.CharField(max_length=10, choices=Source.Mode.choices, default=Source.Mode.UPDATE)
    removed = models.BigIntegerField(default=0)
    removals_asked = models.BigIntegerField(default=0)
    removals_approved = models.BooleanField(default=False)
    taken_over = models.JSONField(default=list)
    started_by = somebody()
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "source", "-created_at"], name="import_recent")
        ]

    def __str__(self) -> str:
        return self.file_name


class Upload(TenantModel):
    """A file on its way in, for the source named or, without one, for a new `source_name`.

    `received` counts the bytes that are kept, from the file's beginning. `fingerprint` is the
    browser's, to know the file again by; empty when it does not come in chunks. Examined and good,
    the file belongs to `load`, a draft; refused, it is gone and `reason` says why, in `language`.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", _("Unfinished")
        WAITING = "waiting", _("Waiting")
        EXAMINING = "examining", _("Being examined")
        READY = "ready", _("Ready")
        REFUSED = "refused", _("Refused")

    source = TenantForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="uploads")
    source_name = models.CharField(max_length=100, blank=True)
    file_name = models.CharField(max_length=255)
    file_bytes = models.BigIntegerField()
    fingerprint = models.CharField(max_length=100, blank=True)
    received = models.BigIntegerField(default=0)
    state = models.CharField(max_length=20, choices=State.choices, default=State.RECEIVING)
    reason = SentenceField(blank=True)
    load = TenantForeignKey(Import, null=True, on_delete=models.CASCADE, related_name="+")
    started_by = somebody()
    language = models.CharField(max_length=10, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    heartbeat_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.file_name


class RefusedRow(BulkTenantModel):
    """A row of an import that could not be taken, with where and why."""

    source_import = TenantForeignKey(Import, on_delete=models.CASCADE, related_name="refused_rows")
    row_number = models.BigIntegerField()
    column = models.CharField(max_length=255, blank=True)
    value = models.TextField(blank=True)
    reason = models.CharField(max_length=60)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "source_import", "row_number"], name="refused_rows")
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.reason}"


# What is taken off both ends of a text before it is kept.
BLANKS = " \t\r\n\f\v\u00a0\u200b\ufeff"


class Profile(BulkTenantModel):
    """One unified customer.

    `attributes` maps attribute names to typed JSON: text without `BLANKS` around it, numbers,
    booleans, ISO 8601 dates (`YYYY-MM-DD`) and date-times in UTC (`YYYY-MM-DDTHH:MM:SSZ`), lists
    of text; an empty value or list has no entry.
    `updated_at` moves only when a value changes. `held_by` are the ids of the sources it came from
    and is not gone from, those that were removed among them.
    """

    key = models.CharField(max_length=255, db_collation="C")
    attributes = models.JSONField(default=dict)
    held_by = ArrayField(models.BigIntegerField(), default=list, db_default=[], editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="profile_key_unique")
        ]

    def __str__(self) -> str:
        return self.key


class Suppression(BulkTenantModel):
    """An address that no export of the workspace sends. Kept in lower case."""

    class Origin(models.TextChoices):
        MEMBER = "member", _("By hand")
        FILE = "file", _("From a file")

    pk = models.CompositePrimaryKey("workspace_id", "address")
    address = models.CharField(max_length=254, db_collation="C")
    reason = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=20, choices=Origin.choices)
    added_by = somebody()
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.get_origin_display()


class Erasure(TenantModel):
    """A person who was erased, at whose word and how far it is; who they were is not in it.

    The kept files of ended imports go in `files_removed_at`; apps above say whether they have
    done their part. `lifted_at` is when they were let back in.
    """

    delete_at_provider = models.BooleanField(default=False)
    asked_by = somebody()
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    files_removed_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    lifted_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.pk}"


class ErasedIdentity(BulkTenantModel):
    """A key or an address that was erased: a keyed hash of it, by which it is known again."""

    pk = models.CompositePrimaryKey("workspace_id", "digest")
    digest = models.BinaryField(max_length=32)
    erasure = TenantForeignKey(Erasure, on_delete=models.CASCADE, related_name="identities")

    def __str__(self) -> str:
        return f"{self.erasure_id}"


class ErasureSecret(TenantModel):
    """The secret of the workspace's `ErasedIdentity` hashes, encrypted."""

    secret = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="one_erasure_secret")]

    def __str__(self) -> str:
        return f"{self.workspace_id}"


class Segment(TenantModel):
    """A named set of profiles; its members are those of the last successful refresh.

    `rules` is the tree that `segments.rule_tree` reads; a draft's may make no sense yet. A static
    one has a list of entries, and a single rule: to be on it. Only an active segment is refreshed;
    an inactive one keeps the members it has.
    """

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", _("Dynamic")
        STATIC = "static", _("Static")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        INACTIVE = "inactive", _("Inactive")

    class RefreshState(models.TextChoices):
        NEVER = "never", _("Never refreshed")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Refreshing")
        SUCCEEDED = "succeeded", _("Refreshed")
        FAILED = "failed", _("Failed")

    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(
        max_length=20, choices=Kind.choices, default=Kind.DYNAMIC, editable=False
    )
    rules = models.JSONField(default=dict)
    entry_count = models.BigIntegerField(default=0, editable=False)
    state = models.CharField(
        _("state"), max_length=20, choices=State.choices, default=State.ACTIVE, editable=False
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True, editable=False)
    member_count = models.BigIntegerField(default=0, editable=False)
    refresh_state = models.CharField(
        max_length=20, choices=RefreshState.choices, default=RefreshState.NEVER, editable=False
    )
    refresh_reason = models.TextField(blank=True, editable=False)
    refreshed_at = models.DateTimeField(null=True, editable=False)
    refresh_requested_at = models.DateTimeField(null=True, editable=False)
    created_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="segment_name_unique")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_static(self) -> bool:
        return self.kind == self.Kind.STATIC

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class SegmentEntry(BulkTenantModel):
    """A key or another value on a static segment's list, whether a profile has it or not."""

    pk = models.CompositePrimaryKey("workspace_id", "segment_id", "value")
    segment = TenantForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    value = models.CharField(max_length=255, db_collation="C")

    def __str__(self) -> str:
        return f"{self.segment_id}: an entry"


class SegmentMember(BulkTenantModel):
    """A profile in a segment. Written by set-based SQL only."""

    pk = models.CompositePrimaryKey("workspace_id", "segment_id", "profile_id")
    segment = TenantForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    profile_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.profile_id}"


class SegmentRefresh(TenantModel):
    """One computation of a segment's membership: the history of its size.

    `keeps_changes` while there is a `SegmentChange` for each who joined or left.
    """

    segment = TenantForeignKey(Segment, on_delete=models.CASCADE, related_name="refreshes")
    count = models.BigIntegerField(default=0)
    joined = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    succeeded = models.BooleanField(default=True)
    reason = models.TextField(blank=True)
    keeps_changes = models.BooleanField(default=False, editable=False)
    seconds = models.FloatField(default=0)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["workspace", "segment", "-at"], name="segment_history")]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.at:%Y-%m-%d %H:%M}: {self.count}"


class SegmentChange(BulkTenantModel):
    """A profile that joined a segment at a refresh, or left it. Written by set-based SQL only.

    Whoever deletes its segment deletes it too, by its key: a cascade would not use the index.
    """

    pk = models.CompositePrimaryKey("workspace_id", "segment_id", "refresh_id", "profile_id")
    segment = TenantForeignKey(Segment, on_delete=models.DO_NOTHING, related_name="+")
    refresh = TenantForeignKey(SegmentRefresh, on_delete=models.DO_NOTHING, related_name="+")
    profile_id = models.BigIntegerField()
    joined = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.profile_id}"
