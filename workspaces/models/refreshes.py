"""When a workspace refreshes, and its refreshes step by step."""

from datetime import time, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.sentences import SentenceField
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.users import somebody


class Schedule(TenantModel):
    """When a workspace refreshes. Off until an Administrator turns it on.

    `days` are ISO week days (Monday 1 … Sunday 7); `times` are local to `time_zone`, and unless
    `every_hours` is 0 it is due each so many hours from midnight on instead.
    `next_run_at` is the due time the scheduler looks for; it is null while off.
    """

    enabled = models.BooleanField(_("on"), default=False)
    days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    times = ArrayField(models.TimeField(), default=list, blank=True)
    every_hours = models.PositiveSmallIntegerField(default=0)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    next_run_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="one_schedule")]

    def __str__(self) -> str:
        return f"{self.workspace}: {self.next_run_at or _('off')}"

    @property
    def due_times(self) -> list[time]:
        if self.every_hours:
            return [time(hour) for hour in range(0, 24, self.every_hours)]
        return list(self.times)


class Refresh(TenantModel):
    """Sources, then segments, then every enabled destination: once, from start to end.

    `planned_at` is when its steps were written. `attempts` counts the workers that took it up.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", _("Schedule")
        MEMBER = "member", _("A member")
        COMMAND = "command", _("Command")
        API = "api", _("API")

    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    started_by = somebody()
    due_at = models.DateTimeField(null=True, editable=False)
    reason = SentenceField(blank=True)
    planned_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    ACTIVE = (State.QUEUED, State.RUNNING)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_refresh_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["workspace", "-created_at"], name="refresh_recent")]

    def __str__(self) -> str:
        return f"{self.created_at.astimezone(self.workspace.tzinfo):%Y-%m-%d %H:%M}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at


class RefreshStep(TenantModel):
    """One thing that a refresh does, to one object of a kind.

    `kind` is one of those that `workspaces.refreshes` knows; `name` is what the object was called
    then, `needs` the positions of the steps that must have succeeded before.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Skipped")

    refresh = TenantForeignKey(Refresh, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    needs = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    reason = SentenceField(blank=True)
    counts = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "refresh", "position"], name="refresh_step_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.state}"

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at
