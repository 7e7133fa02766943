"""Workspaces, and who their members are or may become."""

import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.users import UserManager, somebody


class User(AbstractUser):
    """A person who signs in with an e-mail address; `language` is what they last read pages in."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    language = models.CharField(max_length=10, blank=True, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()  # type: ignore[misc, assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", _("Administrator")
    CONTRIBUTOR = "contributor", _("Contributor")
    VIEWER = "viewer", _("Viewer")


LEAST_AUDIT_DAYS = 365


class KeptFor(models.IntegerChoices):
    """How long, in days."""

    ONE_WEEK = 7, _("1 week")
    ONE_MONTH = 30, _("30 days")
    THREE_MONTHS = 90, _("90 days")
    SIX_MONTHS = 180, _("180 days")
    ONE_YEAR = 365, _("1 year")
    TWO_YEARS = 730, _("2 years")
    FIVE_YEARS = 1826, _("5 years")
    TEN_YEARS = 3652, _("10 years")


# Who may be named in it is gone the sooner; what only counts may stay.
SHORT, LONG = KeptFor.choices[:5], KeptFor.choices[2:]


class Workspace(models.Model):
    """A tenant. `slug` is its place in every URL and never changes.

    Members are told of a run when more than `rejected_share` percent of it were rejected.
    `workspaces.retention` says what the `…_days` are counted from; null is for ever.
    """

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    rejected_share = models.PositiveSmallIntegerField(
        _("rejected percent"), default=5, validators=[MaxValueValidator(100)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Null keeps the audit log for ever; PostgreSQL holds whoever lets go of entries to it.
    audit_days = models.PositiveIntegerField(
        _("keep the audit log for"), null=True, blank=True, choices=KeptFor.choices[4:]
    )
    rejections_days = models.PositiveIntegerField(
        _("keep profiles not sent and refused rows for"), default=90, choices=SHORT
    )
    files_days = models.PositiveIntegerField(
        _("keep uploaded files for"), default=90, choices=SHORT
    )
    history_days = models.PositiveIntegerField(
        _("keep who joined and left segments for"), null=True, blank=True, default=730, choices=LONG
    )
    runs_days = models.PositiveIntegerField(
        _("keep runs, imports and refreshes for"), null=True, blank=True, default=730, choices=LONG
    )

    # When it is deleted for good, once somebody has asked for that.
    delete_at = models.DateTimeField(null=True, editable=False)
    two_step_demanded = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(audit_days__gte=LEAST_AUDIT_DAYS), name="audit_kept_long_enough"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("workspaces:home", args=[self.slug])

    @property
    def is_closing(self) -> bool:
        """Nothing starts or is sent there any more; its pages are closed."""
        return self.delete_at is not None

    @property
    def tzinfo(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Installation(models.Model):
    """The one row that says which database this is, to notice that it is a restored copy."""

    identity = models.CharField(max_length=100)
    restored_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.identity


class Membership(TenantModel):
    """A member of a workspace, with a role."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class CapturedDomain(TenantModel):
    """An e-mail domain whose people become Viewers when they sign in with OpenID Connect."""

    domain = models.CharField(max_length=253)

    class Meta:
        ordering = ["domain"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "domain"], name="captured_domain_once")
        ]

    def __str__(self) -> str:
        return self.domain


class Invitation(TenantModel):
    """An offer of membership by e-mail: single use, expiring, revocable; its token hashed."""

    secrets = frozenset({"token_hash"})

    email = models.EmailField(_("e-mail"))
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    token_hash = models.CharField(max_length=64, editable=False)
    invited_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    membership = TenantForeignKey(
        Membership, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )

    class Meta:
        indexes = [models.Index(fields=["workspace", "email"], name="invitation_by_email")]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "token_hash"], name="invitation_token_unique"
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_pending(self) -> bool:
        ended = self.accepted_at or self.revoked_at
        return ended is None and self.expires_at > timezone.now()
