"""Members: their roles, and how they leave. A workspace always keeps an Administrator."""

from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from workspaces import audit
from workspaces.models import Membership, Role, User, Workspace

RemovalGuard = Callable[[Membership], str | None]

_guards: list[RemovalGuard] = []


class Refused(Exception):
    """Why a member can't be changed or removed, and what to do; the message is for people."""


def add_removal_guard(guard: RemovalGuard) -> None:
    """Adds a function of a membership: why the person can't leave or lose their role yet, or None.

    It is asked before a removal, and before an Administrator becomes something less.
    """
    _guards.append(guard)


def removal_obstacles(membership: Membership) -> list[str]:
    return [reason for guard in _guards if (reason := guard(membership))]


def change_role(membership: Membership, role: str, *, by: User | None) -> None:
    """Gives the member another role. Raises Refused for the last Administrator."""
    with transaction.atomic():
        current = _locked(membership)
        if current.role == role:
            return
        if current.role == Role.ADMINISTRATOR:
            _refuse_last_administrator(current)
            _refuse_obstacles(current)
        before, current.role = current.role, role
        current.save(update_fields=["role"])
        audit.record(
            current.workspace,
            "member.role_changed",
            actor=by,
            target=current.user,
            was=before,
            becomes=role,
        )


def remove(membership: Membership, *, by: User | None) -> None:
    """Takes the member out of the workspace. Raises Refused if that can't be yet."""
    with transaction.atomic():
        current = _locked(membership)
        if current.role == Role.ADMINISTRATOR:
            _refuse_last_administrator(current)
        _refuse_obstacles(current)
        audit.record(
            current.workspace, "member.removed", actor=by, target=current.user, role=current.role
        )
        current.delete()


def _locked(membership: Membership) -> Membership:
    """The membership as it is now, while no other change of members can happen."""
    Workspace.objects.select_for_update(no_key=True).get(pk=membership.workspace_id)
    return Membership.objects.select_related("workspace", "user").get(pk=membership.pk)


def _refuse_last_administrator(membership: Membership) -> None:
    others = Membership.objects.filter(role=Role.ADMINISTRATOR).exclude(pk=membership.pk)
    if not others.exists():
        raise Refused(
            _("%(person)s is the only Administrator. Make another member Administrator first.")
            % {"person": membership.user}
        )


def _refuse_obstacles(membership: Membership) -> None:
    if obstacles := removal_obstacles(membership):
        raise Refused(" ".join(obstacles))
