"""Segments: their rules or lists, their members, and the history of these."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel
from workspaces.users import somebody


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
