"""What the provider is known to hold, who is not to be sent, and who was not."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exports.models.destinations import Destination
from exports.models.runs import Run
from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel


class Delivery(BulkTenantModel):
    """What the provider is known to hold from one destination for one address.

    `payload_hash` is what `batch` carries, written when it is first sent; it is held once that
    batch is confirmed, or when `batch_id` is null. Until then, and when the batch fails,
    `previous_hash` is what is held (null: nothing). Either is 0 when it is not known what is held.
    `leaving_run_id` is the run that takes the address off the list; with that done the delivery is
    gone, and as long as it is not known whether it is done the mark stays. It is also the run that
    put the address there, if it is not known whether it did.
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
