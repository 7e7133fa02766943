"""Destinations, their runs and batches, and the ledger of deliveries."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from exports import whys
from segments.models import Erasure, Segment
from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel
from workspaces.timing import Timed


class Destination(Timed, TenantModel):
    """An export's configuration.

    `matching` maps Constant Contact field names to attribute names; `email` is always there.
    `delivered_to` is the account and list that the ledger speaks of. In mode mirror who left the
    segments is taken off the list; a run that would take off more than `removal_share` percent of
    those it put there waits for approval.
    Without a connection the destination rests.
    """

    class Mode(models.TextChoices):
        MIRROR = "mirror", _("Keep the list like the segments")
        ADD = "add", _("Only add")

    name = models.CharField(_("name"), max_length=100)
    connection = TenantForeignKey(
        Connection, null=True, on_delete=models.PROTECT, related_name="destinations"
    )
    list_id = models.CharField(max_length=36, blank=True)
    list_name = models.CharField(max_length=255, blank=True)
    matching = models.JSONField(default=dict)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, default=Mode.MIRROR)
    removal_share = models.PositiveSmallIntegerField(_("removal limit"), default=20)
    segments = models.ManyToManyField(
        Segment, through="DestinationSegment", related_name="destinations"
    )
    delivered_to = models.CharField(max_length=120, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="destination_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class DestinationSegment(TenantModel):
    """A segment that a destination exports."""

    destination = TenantForeignKey(Destination, on_delete=models.CASCADE, related_name="+")
    segment = TenantForeignKey(Segment, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "destination", "segment"], name="segment_once_per_destination"
            )
        ]

    def __str__(self) -> str:
        return f"{self.destination_id}: {self.segment_id}"


class Run(TenantModel):
    """One execution of a destination.

    The account: in_segments = added + changed + unchanged + duplicate + invalid + suppressed
    + rejected. It holds at every moment after planning: what is not confirmed yet counts as
    added or changed until the provider says otherwise. `configuration` is the destination as it
    was when the run was planned, with its names for people. `heartbeat_at` is when a worker last
    took a step; the sweeper looks for runs whose heart has stopped. `read_back` holds the ids of
    the contact exports that name who was refused; `removal` how far taking people off is.
    `to_remove` were to be taken off when it was planned; `removed` are off. A member approved at
    most `approved_removals` of them.
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
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
    )
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
    )
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
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
    )
    requests = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    planned_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    waiting_until = models.DateTimeField(null=True, editable=False)
    read_back = models.JSONField(default=dict, editable=False)
    removal = models.JSONField(default=dict, editable=False)
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
    def is_waiting(self) -> bool:
        """For a time that is still to come."""
        until = self.waiting_until
        return self.is_active and until is not None and until > timezone.now()

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
    about it.
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


class Delivery(BulkTenantModel):
    """What the provider is known to hold from one destination for one address.

    `payload_hash` is what `batch` carries, written when it is first sent; it is held once that
    batch is confirmed, or when `batch_id` is null. Until then, and when the batch fails,
    `previous_hash` is what is held (null: nothing). `leaving_run_id` is the run that takes the
    address off the list; with that done the delivery is gone, and as long as it is not known
    whether it is done the mark stays.
    `refusal` is why the provider does not take the address, once it has said so.
    Written by set-based SQL only.
    """

    pk = models.CompositePrimaryKey("workspace_id", "destination_id", "address")
    destination = TenantForeignKey(Destination, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=254, db_collation="C")
    profile_id = models.BigIntegerField()
    payload_hash = models.BigIntegerField()
    previous_hash = models.BigIntegerField(null=True)
    refusal = models.CharField(max_length=60, blank=True)
    batch_id = models.BigIntegerField(null=True)
    leaving_run_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.destination_id}: {self.profile_id}"


class OptOut(BulkTenantModel):
    """An address that is not to be sent to an account, or to the one list of it in `list_id`.

    Its owner unsubscribed there, or it was taken off the list there, by them or by hand, or nobody
    there has it any more.
    """

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        TAKEN_OFF = "taken_off", _("Taken off the list")
        CHANGED = "changed_at_provider", _("Changed at Constant Contact")

    pk = models.CompositePrimaryKey("workspace_id", "account_id", "list_id", "address")
    account_id = models.CharField(max_length=64)
    list_id = models.CharField(max_length=36, blank=True)
    address = models.CharField(max_length=254, db_collation="C")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    since = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.reason}"


class PreferencePull(TenantModel):
    """Until when an account's opt-outs are known here, and when all of them were last read."""

    account_id = models.CharField(max_length=64)
    pulled_at = models.DateTimeField()
    read_whole_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "account_id"], name="pull_of_account")
        ]

    def __str__(self) -> str:
        return self.account_id


class Rejection(BulkTenantModel):
    """One profile that a run did not send, or the provider refused, with its reason."""

    class Kind(models.TextChoices):
        DUPLICATE = "duplicate", _("Duplicate")
        INVALID = "invalid", _("Invalid")
        SUPPRESSED = "suppressed", _("Suppressed")
        REJECTED = "rejected", _("Rejected")

    run = TenantForeignKey(Run, on_delete=models.CASCADE, related_name="rejections")
    profile_id = models.BigIntegerField()
    profile_key = models.CharField(max_length=255)
    address = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reason = models.CharField(max_length=60)
    detail = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "run", "kind", "reason", "id"], name="rejections")
        ]

    def __str__(self) -> str:
        return f"{self.profile_key}: {self.reason}"


class ErasurePlace(TenantModel):
    """An account where an erased person is to be taken off `lists`, or deleted altogether.

    `lists` are `{"id", "name"}`. `addresses` is encrypted, and gone once it is done. It is looked
    at once the runs in `waits_for` are over, whose requests may be under way.
    """

    erasure = TenantForeignKey(Erasure, on_delete=models.CASCADE, related_name="+")
    account_id = models.CharField(max_length=64)
    account_name = models.CharField(max_length=255, blank=True)
    lists = models.JSONField(default=list)
    deletes_contact = models.BooleanField(default=False)
    addresses = models.BinaryField(null=True, editable=False)
    waits_for = ArrayField(models.BigIntegerField(), default=list, editable=False)
    activity_id = models.CharField(max_length=36, blank=True)
    tries = models.IntegerField(default=0)
    why = models.JSONField(default=dict, editable=False)
    next_look_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["workspace", "erasure"], name="places_of_erasure")]

    def __str__(self) -> str:
        return self.account_name or self.account_id

    @property
    def reason(self) -> str:
        """What it waits for, in the reader's language."""
        return whys.text(self.why)
