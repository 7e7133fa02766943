"""Two-step sign-in: who has it, and the workspaces that demand it of their members."""

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils.translation import gettext as _

from workspaces import audit, selectors
from workspaces.models import Membership, User, Workspace

SECOND_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class Refused(Exception):
    """Why it can't be demanded yet, and what to do; the message is for people."""


def has(user: User | AnonymousUser) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type__in=SECOND_STEPS).exists()


def is_missing(workspace: Workspace, user: User | AnonymousUser) -> bool:
    """Whether the workspace demands of the person what they don't have."""
    return workspace.two_step_demanded and not has(user)


def demanding(user: User | AnonymousUser) -> list[Workspace]:
    """The person's workspaces that demand it."""
    return [one for one in selectors.workspaces_of(user) if one.two_step_demanded]


def members_without() -> int:
    """How many members of the workspace in scope don't have it."""
    with_it = Authenticator.objects.filter(type__in=SECOND_STEPS).values("user")
    return Membership.objects.exclude(user__in=with_it).count()


def demand(workspace: Workspace, is_demanded: bool, *, by: User | None) -> None:
    """Says whether members need it. Raises Refused for whoever doesn't have it themselves."""
    with transaction.atomic():
        current = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if current.two_step_demanded == is_demanded:
            return
        if is_demanded and (by is None or not has(by)):
            raise Refused(
                _("Set two-step sign-in up for yourself first, else you would be locked out.")
            )
        workspace.two_step_demanded = is_demanded
        workspace.save(update_fields=["two_step_demanded"])
        audit.record(
            workspace,
            "workspace.two_step_changed",
            actor=by,
            target=workspace,
            changes={"two_step_demanded": {"was": not is_demanded, "becomes": is_demanded}},
        )


def turn_off(user: User) -> None:
    """Takes every second step and recovery code from the person, and tells them by e-mail."""
    Authenticator.objects.filter(user=user).delete()
    get_adapter().send_notification_mail("mfa/email/turned_off", user)
