"""Loads of sources: files on their way in, imports, the rows that were refused."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from segments.models.sources import Source
from workspaces.sentences import SentenceField
from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel
from workspaces.users import somebody


class Import(TenantModel):
    """One load of a source: of a file, or of the rows that its query gives.

    `checksum` is the SHA-256 of the file as it came, where that is known.

    `columns` is a list of `{"column", "attribute", "label", "type", "keep"}`, the person's choice;
    `dialect` what the sniffer found. read = added + changed + unchanged + superseded + refused.
    `removed` profiles were gone from a source that replaces. Where those would have been too many
    the import failed with `removals_asked`, which another one of that file may go up to once they
    are approved. `taken_over` names the attributes that it may take from other sources.
    `attempts` is how often a worker began it: one that dies of it is not to be followed for ever.
    While it runs, `done` rows of `whole` are through its `stage`, which began at `stage_at`, as far
    as that is known: see `progress`.
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

    ACTIVE = (State.QUEUED, State.RUNNING)

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=255)
    file_path = models.CharField(max_length=500)
    file_bytes = models.BigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True)
    dialect = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    skip_refused = models.BooleanField(_("skip the rows that can’t be read"), default=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.MEMBER)
    reason = SentenceField(blank=True)
    stage = models.CharField(max_length=40, blank=True)
    stage_at = models.DateTimeField(null=True, editable=False)
    done = models.BigIntegerField(default=0, db_default=0, editable=False)
    whole = models.BigIntegerField(default=0, db_default=0, editable=False)
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

    @property
    def took(self) -> timedelta | None:
        return (self.finished_at or timezone.now()) - self.started_at if self.started_at else None


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
        REFUSED = "refused", pgettext_lazy("an uploaded file", "Refused")

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
