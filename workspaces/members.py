"""Members: their roles, and how they leave. A workspace always keeps an Administrator."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from workspaces import audit
from workspaces.models import Membership, Role, User, Workspace

Guard = Callable[[Membership], str | None]

_guards: list[Guard] = []


class Ending(StrEnum):
    """What becomes of what rests on a member who is removed."""

    TAKE_OVER = "take_over"
    STOP = "stop"


@dataclass(frozen=True)
class Belonging:
    """Something that rests on a member: whoever removes them takes it over, or it stops.

    `what` says to people what it is and what the member is to it. With `take_over` None it stops
    in any case. Both are called in the removal's transaction, with who removes the member: None is
    a service or a command, which takes nothing over.
    """

    what: str
    url: str
    stop: Callable[[User | None], None]
    take_over: Callable[[User], None] | None = None


Finder = Callable[[Membership], Iterable[Belonging]]

_finders: list[Finder] = []


class Refused(Exception):
    """Why a member can't be changed or removed, and what to do; the message is for people."""


def add_guard(guard: Guard) -> None:
    """Adds a function of a membership: why an Administrator can't become less yet, or None."""
    _guards.append(guard)


def add_belongings(finder: Finder) -> None:
    """Adds a function of a membership: what rests on the member."""
    _finders.append(finder)


def belongings_of(membership: Membership) -> list[Belonging]:
    return [one for finder in _finders for one in finder(membership)]


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


def remove(membership: Membership, *, by: User | None, ending: Ending | None = None) -> None:
    """Takes the member out of the workspace, and what rests on them to its `ending`.

    Whoever takes it over has just proved who they are. Raises Refused if it can't be yet.
    """
    with transaction.atomic():
        current = _locked(membership)
        if current.role == Role.ADMINISTRATOR:
            _refuse_last_administrator(current)
        belongings = belongings_of(current)
        _end(belongings, ending, by, leaving=current.user)
        audit.record(
            current.workspace,
            "member.removed",
            actor=by,
            target=current.user,
            role=current.role,
            **({"ending": str(ending)} if belongings and ending else {}),
        )
        current.delete()


def _end(
    belongings: list[Belonging], ending: Ending | None, by: User | None, *, leaving: User
) -> None:
    choices = [one for one in belongings if one.take_over is not None]
    if choices and ending is None:
        raise Refused(
            _("Say first what becomes of this: %(names)s.")
            % {"names": "; ".join(one.what for one in choices)}
        )
    if choices and ending == Ending.TAKE_OVER and by is None:
        raise Refused(
            _("Only a person can take over: a member’s own token does, a service’s does not.")
        )
    if choices and ending == Ending.TAKE_OVER and by == leaving:
        raise Refused(
            _("Who leaves can’t take over. Let it stop, or have another Administrator remove you.")
        )
    for one in belongings:
        if by is not None and one.take_over is not None and ending == Ending.TAKE_OVER:
            one.take_over(by)
        else:
            one.stop(by)


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
    obstacles = [reason for guard in _guards if (reason := guard(membership))]
    if obstacles:
        raise Refused(" ".join(obstacles))
