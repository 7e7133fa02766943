"""Archives of a workspace, and what is left to say once a workspace is gone."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.sentences import SentenceField
from workspaces.tenancy import TenantModel
from workspaces.users import somebody


class Archive(TenantModel):
    """All of a workspace in one ZIP file, made by a worker; gone with its file at `expires_at`.

    `attempts` counts the workers that took it up.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Being made")
        READY = "succeeded", _("Ready")
        FAILED = "failed", _("Failed")

    ACTIVE = (State.QUEUED, State.RUNNING)

    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    reason = SentenceField(blank=True)
    file_name = models.CharField(max_length=40, editable=False)
    bytes = models.BigIntegerField(default=0, editable=False)
    asked_by = somebody()
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_archive_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY


class DeletedWorkspace(models.Model):
    """That a workspace was deleted: all that is left of it, and of no person anything.

    It belongs to no tenant, for there is none any more. `audit_head` is the last digest of the
    audit log's chain: whoever has the log in an archive can show that it is whole. `number` is the
    workspace's id, `swept_at` when it was made sure that nothing came after.
    """

    granted = "SELECT, INSERT, UPDATE"

    number = models.BigIntegerField(unique=True)
    deleted_at = models.DateTimeField(default=timezone.now)
    rows = models.BigIntegerField(default=0)
    files = models.BigIntegerField(default=0)
    audit_entries = models.BigIntegerField(default=0)
    audit_head = models.CharField(max_length=64, blank=True)
    swept_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.number}"
