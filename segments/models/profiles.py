"""Profiles, and addresses that are never sent."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.tenancy import BulkTenantModel
from workspaces.users import somebody

# What is taken off both ends of a text before it is kept.
BLANKS = " \t\r\n\f\v\u00a0\u200b\ufeff"


class Profile(BulkTenantModel):
    """One unified customer.

    `attributes` maps attribute names to typed JSON: text without `BLANKS` around it, numbers,
    booleans, ISO 8601 dates (`YYYY-MM-DD`) and date-times in UTC (`YYYY-MM-DDTHH:MM:SSZ`), lists
    of text; an empty value or list has no entry.
    `updated_at` moves only when a value changes. `held_by` are the ids of the sources it came from
    and is not gone from, those that were removed among them.
    """

    key = models.CharField(max_length=255, db_collation="C")
    attributes = models.JSONField(default=dict)
    held_by = ArrayField(models.BigIntegerField(), default=list, db_default=[], editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="profile_key_unique")
        ]

    def __str__(self) -> str:
        return self.key


class Suppression(BulkTenantModel):
    """An address that no export of the workspace sends. Kept in lower case."""

    class Origin(models.TextChoices):
        MEMBER = "member", _("By hand")
        FILE = "file", _("From a file")

    pk = models.CompositePrimaryKey("workspace_id", "address")
    address = models.CharField(max_length=254, db_collation="C")
    reason = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=20, choices=Origin.choices)
    added_by = somebody()
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.get_origin_display()
