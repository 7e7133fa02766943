"""The audit log, and the chain that its entries hang together by."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from workspaces.tenancy import BulkTenantModel, TenantModel


class AuditEntry(TenantModel):
    """Who did what to what, when. Written by `workspaces.audit.record`, never changed.

    `actor` may name an account that is gone by now.
    """

    granted = "SELECT, INSERT"

    action = models.CharField(max_length=80)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    actor_label = models.CharField(max_length=254, blank=True)
    target = models.CharField(max_length=80, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["workspace", "action", "-id"], name="audit_by_action")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_label}"


class AuditLink(BulkTenantModel):
    """An entry's place in the chain of its workspace's log; PostgreSQL alone writes it."""

    granted = "SELECT"

    pk = models.CompositePrimaryKey("workspace_id", "number")
    number = models.BigIntegerField()
    entry_id = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "entry_id"], name="one_link_of_an_entry")
        ]

    def __str__(self) -> str:
        return f"{self.number}"
