"""Runs and their batches."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exports import whys
from exports.models.destinations import Destination
from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel
from workspaces.users import somebody


class Run(TenantModel):
    """One execution of a destination.

    The account: in_segments = added + changed + unchanged + duplicate + invalid + suppressed
    + rejected. It holds at every moment after planning: what is not confirmed yet counts as
    added or changed until the provider says otherwise. `configuration` is the destination as it
    was when the run was planned, with its names for people. `heartbeat_at` is when a worker last
    took a step; the sweeper looks for runs whose heart has stopped. `read_back` holds the ids of
    the contact exports that name who was refused; `removal` how far taking people off is.
    `to_remove` were to be taken off when it was planned; `removed` are off. A member approved at
    most `approved_removals` of them. `broken_off` is how often in a row a worker left it without a
    word since it last got any further.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        PLANNING = "planning", _("Planning")
        AWAITING_APPROVAL = "awaiting_approval", _("Awaiting approval")
        SENDING = "sending", _("Sending")
        CONFIRMING = "confirming", _("Confirming")
        SUCCEEDED = "succeeded", _("Succeeded")
        SUCCEEDED_WITH_REJECTIONS = "succeeded_with_rejections", _("Succeeded with rejections")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        SKIPPED = "skipped", _("Skipped")

    class Trigger(models.TextChoices):
        MEMBER = "member", _("A member")
        REFRESH = "refresh", _("A refresh")
        SCHEDULE = "schedule", _("Its own schedule")
        COMMAND = "command", _("Command")
        API = "api", _("API")

    ACTIVE = (
        State.QUEUED,
        State.PLANNING,
        State.AWAITING_APPROVAL,
        State.SENDING,
        State.CONFIRMING,
    )

    destination = TenantForeignKey(Destination, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=30, choices=State.choices, default=State.QUEUED)
    why = models.JSONField(default=dict, editable=False)
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    full = models.BooleanField(default=False)
    dry_run = models.BooleanField(default=False)
    started_by = somebody()
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = somebody()
    configuration = models.JSONField(default=dict)
    in_segments = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    invalid = models.BigIntegerField(default=0)
    suppressed = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    to_remove = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    approved_removals = models.BigIntegerField(default=0, editable=False)
    approved_by = somebody()
    requests = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    planned_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    waiting_until = models.DateTimeField(null=True, editable=False)
    read_back = models.JSONField(default=dict, editable=False)
    removal = models.JSONField(default=dict, editable=False)
    broken_off = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "destination"],
                condition=models.Q(
                    state__in=["queued", "planning", "awaiting_approval", "sending", "confirming"]
                ),
                name="one_run_at_a_time",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "destination", "-created_at"], name="run_recent"),
            models.Index(fields=["workspace", "-created_at"], name="run_recent_in_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.destination_id} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def sent(self) -> int:
        return self.added + self.changed

    @property
    def left_out(self) -> int:
        """Those not sent for a reason of their own; the provider's refusals are `rejected`."""
        return self.duplicate + self.invalid + self.suppressed

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_awaiting_approval(self) -> bool:
        return self.state == self.State.AWAITING_APPROVAL

    @property
    def is_waiting(self) -> bool:
        """For a time that is still to come."""
        until = self.waiting_until
        return self.is_active and until is not None and until > timezone.now()

    @property
    def is_held_up(self) -> bool:
        """Whether it waits for something that not every run waits for."""
        return self.is_waiting and self.why.get("code") not in whys.ROUTINE

    @property
    def stands_still(self) -> bool:
        """Until a member says so, or what holds it up is over."""
        return self.is_awaiting_approval or self.is_held_up

    @property
    def shown_state(self) -> str:
        """Names a look (`workspaces.statuses`)."""
        return "waiting" if self.is_held_up else self.state

    def get_shown_state_display(self) -> str:
        return str(_("Waiting")) if self.is_held_up else self.get_state_display()

    @property
    def reason(self) -> str:
        """Why it ended so, or what it waits for, in the reader's language."""
        return whys.text(self.why)

    @property
    def took(self) -> timedelta:
        """From its start, or its place in the queue, to its end or now."""
        return (self.finished_at or timezone.now()) - (self.started_at or self.created_at)


class Batch(TenantModel):
    """One request's worth of a run: so many `contacts`, of whom `added` are new to the list.

    `body` is the request, kept until the batch has ended. `activity` is the provider's last answer
    about it. `broken_off` is how often in a row whoever sent it did not end its work.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        SENT = "sent", _("Sent")
        CONFIRMED = "confirmed", _("Confirmed")
        FAILED = "failed", _("Failed")

    class Failure(models.TextChoices):
        CANCELLED = "cancelled", _("Cancelled before it was sent")
        STOPPED = "stopped", _("Stopped before it was sent")
        REFUSED = "batch_failed", _("Refused as a whole")
        GIVEN_UP = "given_up", _("Given up")
        OUTCOME_UNKNOWN = "outcome_unknown", _("Outcome unknown")

    run = TenantForeignKey(Run, on_delete=models.CASCADE, related_name="batches")
    number = models.IntegerField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.PLANNED)
    failure = models.CharField(max_length=20, choices=Failure.choices, blank=True)
    why = models.JSONField(default=dict, editable=False)
    contacts = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    body = models.BinaryField(null=True, editable=False)
    body_bytes = models.IntegerField(default=0)
    activity_id = models.CharField(max_length=36, blank=True)
    activity = models.JSONField(default=dict)
    attempts = models.IntegerField(default=0)
    broken_off = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    rejected = models.IntegerField(default=0)
    attempted_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "run", "number"], name="batch_number")
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"

    @property
    def may_be_taken(self) -> bool:
        """Of one that failed, whether the provider may have taken it all the same."""
        return self.attempts > 0 and self.failure != self.Failure.REFUSED

    @property
    def reason(self) -> str:
        """Why it failed, in the reader's language."""
        return whys.text(self.why)


class BatchContacts(BulkTenantModel):
    """Whom a batch carries, in the order of its request: what the ledger is to say of them.

    Written with the batch, gone when its run has ended. Three columns of arrays, since whoever
    sends the batch wants them all at once.
    """

    pk = models.CompositePrimaryKey("workspace_id", "batch_id")
    batch = TenantForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    addresses = ArrayField(models.TextField(db_collation="C"))
    profile_ids = ArrayField(models.BigIntegerField())
    payload_hashes = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return str(self.batch_id)
