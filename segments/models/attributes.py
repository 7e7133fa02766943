"""Attributes: typed fields of profiles, and changes of them."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from segments.models.sources import Source
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.users import somebody


class AttributeType(models.TextChoices):
    TEXT = "text", _("Text")
    INTEGER = "integer", _("Whole number")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    DATETIME = "datetime", _("Date and time")
    BOOLEAN = "boolean", _("Yes/No")
    LIST = "list", _("List of texts")


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

    @property
    def took(self) -> timedelta:
        """Since it was asked for, to its end or now."""
        return (self.finished_at or timezone.now()) - self.created_at
