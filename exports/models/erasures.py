"""Where erased people are still to be taken off lists."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from exports import whys
from segments.models import Erasure
from workspaces.tenancy import TenantForeignKey, TenantModel


class ErasurePlace(TenantModel):
    """An account where an erased person is to be taken off `lists`, or deleted altogether.

    `lists` are `{"id", "name"}`. `addresses` is encrypted, and gone once it is done. It is looked
    at once the runs in `waits_for` are over, whose requests may be under way.
    """

    encrypted = ("addresses",)

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
