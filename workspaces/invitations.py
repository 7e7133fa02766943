"""Invitations: an offer of membership by e-mail, single use, for a week, revocable."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.row_security import across_workspaces
from workspaces import audit, mail
from workspaces.models import Invitation, Membership, User, Workspace

LIFETIME = timedelta(days=7)


class Refused(Exception):
    """Why an invitation can't be made or accepted; the message is for people."""


def invite(workspace: Workspace, email: str, role: str, *, by: User | None) -> Invitation:
    """Sends an invitation; an earlier one to the same address stops being valid.

    Raises Refused for who is a member already, and OSError when the mail server won't take it:
    then nothing has changed.
    """
    email = email.lower()
    with transaction.atomic():
        if Membership.objects.filter(user__email__iexact=email).exists():
            raise Refused(
                _("%(email)s is a member already. Change their role on the list of members.")
                % {"email": email}
            )
        for earlier in pending().filter(email=email):
            _revoke(earlier)
        token = secrets.token_urlsafe(32)
        invitation = Invitation.objects.create(
            workspace=workspace,
            email=email,
            role=role,
            token_hash=_hashed(token),
            invited_by=by,
            expires_at=timezone.now() + LIFETIME,
        )
        audit.record(workspace, "member.invited", actor=by, target=invitation, role=role)
        path = reverse("workspaces:invitation", args=[workspace.slug, token])
        mail.send(
            "workspaces/email/invitation",
            to=email,
            workspace=workspace,
            invitation=invitation,
            inviter=by or _("An Administrator"),
            url=f"{settings.BASE_URL}{path}",
        )
    return invitation


def pending() -> QuerySet[Invitation]:
    """Invitations that can still be accepted, of the workspace in scope."""
    return Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )


def is_invited(email: str) -> bool:
    """Whether an invitation to the address can still be accepted, in the workspace in scope."""
    return pending().filter(email__iexact=email).exists()


def open_invitations() -> QuerySet[Invitation]:
    """Invitations neither accepted nor revoked, expired ones too, newest first."""
    return Invitation.objects.filter(accepted_at=None, revoked_at=None).order_by("-created_at")


def revoke(invitation: Invitation, *, by: User | None) -> None:
    """Makes the invitation worthless; nothing happens to one already accepted."""
    with transaction.atomic():
        current = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        if current.accepted_at or current.revoked_at:
            return
        _revoke(current)
        audit.record(current.workspace, "member.invitation_revoked", actor=by, target=current)


def find(slug: str, token: str) -> Invitation | None:
    """The invitation that a link carries, whatever its state."""
    with across_workspaces():
        return (
            Invitation.objects.select_related("workspace", "invited_by")
            .filter(workspace__slug=slug, token_hash=_hashed(token))
            .first()
        )


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the address invited is one that the person has confirmed."""
    return EmailAddress.objects.filter(
        user=user, email__iexact=invitation.email, verified=True
    ).exists()


def accept(invitation: Invitation, user: User) -> Membership:
    """Makes the person a member. Call it in the workspace's scope.

    Who is a member already keeps their role. Raises Refused if the invitation is not theirs or
    no longer valid.
    """
    with transaction.atomic():
        current = (
            Invitation.objects.select_for_update(of=("self",))
            .select_related("workspace")
            .get(pk=invitation.pk)
        )
        if not current.is_pending or current.workspace.is_closing:
            raise Refused(_("This invitation is no longer valid. Ask for a new one."))
        if not is_for(current, user):
            raise Refused(
                _("This invitation is for %(email)s. Sign in with that address to accept it.")
                % {"email": current.email}
            )
        membership, _made = Membership.objects.get_or_create(
            workspace=current.workspace, user=user, defaults={"role": current.role}
        )
        current.accepted_at, current.membership = timezone.now(), membership
        current.save(update_fields=["accepted_at", "membership"])
        audit.record(
            current.workspace, "member.joined", actor=user, target=user, role=membership.role
        )
    return membership


def _revoke(invitation: Invitation) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
