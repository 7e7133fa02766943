"""People who were erased: that it was done, and how they are known again."""

from django.db import models
from django.utils import timezone

from workspaces.tenancy import BulkTenantModel, TenantForeignKey, TenantModel
from workspaces.users import somebody


class Erasure(TenantModel):
    """A person who was erased, at whose word and how far it is; who they were is not in it.

    The kept files of ended imports go in `files_removed_at`; apps above say whether they have
    done their part. `lifted_at` is when they were let back in.
    """

    delete_at_provider = models.BooleanField(default=False)
    asked_by = somebody()
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    files_removed_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    lifted_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.pk}"


class ErasedIdentity(BulkTenantModel):
    """A key or an address that was erased: a keyed hash of it, by which it is known again."""

    pk = models.CompositePrimaryKey("workspace_id", "digest")
    digest = models.BinaryField(max_length=32)
    erasure = TenantForeignKey(Erasure, on_delete=models.CASCADE, related_name="identities")

    def __str__(self) -> str:
        return f"{self.erasure_id}"


class ErasureSecret(TenantModel):
    """The secret of the workspace's `ErasedIdentity` hashes, encrypted."""

    encrypted = ("secret",)

    secret = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="one_erasure_secret")]

    def __str__(self) -> str:
        return f"{self.workspace_id}"
