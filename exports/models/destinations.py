"""Destinations: what is exported, where to, and how."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from segments.models import Segment
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.timing import Timed
from workspaces.users import somebody


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
    created_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = somebody()
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
