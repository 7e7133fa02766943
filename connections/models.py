"""Connections to accounts at a provider, and the consent that lets data leave for them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.models import Membership
from workspaces.sentences import SentenceField
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.users import somebody


class Provider(models.TextChoices):
    CONSTANT_CONTACT = "constant_contact", "Constant Contact"


class Connection(TenantModel):
    """An account at a provider, authorised by OAuth.

    Tokens are encrypted by `connections.tokens`; nothing else reads or writes the two columns.
    """

    encrypted = ("access_token", "refresh_token")

    class Sharing(models.TextChoices):
        ADMINISTRATORS = "administrators", _("Administrators only")
        CONTRIBUTORS = "contributors", _("Administrators and Contributors")
        NAMED = "named", _("Administrators, and Contributors named here")

    class State(models.TextChoices):
        DRAFT = "draft", _("Not finished")
        ACTIVE = "active", _("Active")
        NEEDS_SIGN_IN = "needs_sign_in", _("Needs sign-in")

    name = models.CharField(_("display name"), max_length=100)
    provider = models.CharField(
        max_length=40, choices=Provider.choices, default=Provider.CONSTANT_CONTACT
    )
    sharing = models.CharField(
        _("who can use this connection"),
        max_length=20,
        choices=Sharing.choices,
        default=Sharing.ADMINISTRATORS,
    )
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    state_reason = SentenceField(blank=True)

    account_id = models.CharField(max_length=60, blank=True, editable=False)
    account_name = models.CharField(max_length=255, blank=True, editable=False)
    account_email = models.CharField(max_length=254, blank=True, editable=False)

    access_token = models.BinaryField(null=True, editable=False)
    refresh_token = models.BinaryField(null=True, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    token_refreshed_at = models.DateTimeField(null=True, editable=False)
    authorised_by = somebody()
    authorised_at = models.DateTimeField(null=True, editable=False)

    export_user = somebody()
    export_user_since = models.DateTimeField(null=True, editable=False)

    created_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="connection_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class ConnectionShare(TenantModel):
    """A Contributor with whom a connection is shared by name; it counts where `sharing` says so."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="shares")
    membership = TenantForeignKey(Membership, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "connection", "membership"], name="connection_shared_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.membership_id}"


class Consent(TenantModel):
    """The recorded "I agree" to data privacy and compliance, word for word."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    text_version = models.CharField(max_length=20)
    text = models.TextField()
    accepted_by = somebody()
    accepted_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_by = somebody()
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "connection"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_standing_consent",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} v{self.text_version}"
