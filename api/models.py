"""Tokens of the API, and the answers it gives again to a repeated request."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workspaces.models import Membership, Role
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.users import somebody


class Scope(models.TextChoices):
    """What a token may be used for, within its role."""

    READ = "read", _("See sources, segments, exports, runs and their counts: nobody’s data")
    PEOPLE = "people", _("See people: profiles, members of segments, who was not sent")
    IMPORT = "import", _("Bring files in and load sources")
    WRITE = "write", _("Change sources, attributes, segments, exports and suppressions; erase")
    RUN = "run", _("Refresh, and start, approve and cancel runs")
    ADMIN = "admin", _("Administer members, settings, connections and endpoints for events")


class Token(TenantModel):
    """A key to the API: a member's own, or without a `membership` the workspace's, for a service.

    `role` is the service's; of a member's token the most that it may be: it never does more than
    the member may now, and goes with the membership. `digest` is the token's SHA-256, `hint` its
    beginning. With `addresses` (CIDR) it works from those only.
    """

    secrets = frozenset({"digest", "hint"})

    membership = TenantForeignKey(
        Membership, null=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    addresses = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    hint = models.CharField(max_length=40, editable=False)
    created_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.GenericIPAddressField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest"], name="token_digest_unique")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_service(self) -> bool:
        return self.membership_id is None

    @property
    def state(self) -> str:
        if self.revoked_at is not None:
            return "revoked"
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return "expired" if is_over else "valid"

    def get_state_display(self) -> str:
        words = {
            "valid": _("Valid"),
            "expired": pgettext_lazy("a token", "Expired"),
            "revoked": _("Revoked"),
        }
        return str(words[self.state])

    @property
    def scope_labels(self) -> list[str]:
        return [str(Scope(scope).label) for scope in self.scopes]


class KeptAnswer(TenantModel):
    """The answer to a request that came with an `Idempotency-Key`, to be given again.

    Written in one transaction with what the request did. `fingerprint` is the SHA-256 of the
    request's method, address and body.
    """

    secrets = frozenset({"headers", "key", "fingerprint"})

    token = TenantForeignKey(Token, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "token", "key"], name="one_answer_per_idempotency_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.token_id}: {self.status}"
