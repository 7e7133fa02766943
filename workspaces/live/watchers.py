"""Who watches a part of a page, and whether they still may.

What a request checks once is checked again of all who watch, in one statement, whenever something
is written to them: nobody reads on who is no member any more, in another role, signed out or
switched off, nor in a workspace that closes, or now demands a second step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from config.planned import Planned
from config.row_security import across_workspaces
from workspaces.models import Role

# Of another name than lines that a page opened before would not understand.
LINES = "application/x-segue-lines"
WATCHER = "segue.watcher"

STILL_THERE = Planned(
    """
SELECT m.id, s.session_key, m.role, u.password, w.time_zone, w.two_step_demanded
FROM unnest(%(workspaces)s::bigint[], %(members)s::bigint[], %(sessions)s::text[])
  AS asked (workspace, member, session_key)
JOIN workspaces_membership m ON m.workspace_id = asked.workspace AND m.id = asked.member
JOIN workspaces_workspace w ON w.id = m.workspace_id AND w.delete_at IS NULL
JOIN workspaces_user u ON u.id = m.user_id AND u.is_active
JOIN django_session s ON s.session_key = asked.session_key AND s.expire_date > %(now)s
""",
    workspaces="bigint[]",
    members="bigint[]",
    sessions="text[]",
    now="timestamptz",
)


@dataclass(frozen=True)
class Watcher:
    """A member in one of their sessions, as they were when they asked."""

    workspace_id: int
    membership_id: int
    role: str
    language: str
    session_key: str
    password: str
    time_zone: str
    two_step_demanded: bool

    @property
    def sees(self) -> str:
        """The same for whoever is shown the same; what is shared by name parts Contributors."""
        if self.role == Role.CONTRIBUTOR:
            return f"{self.role}:{self.membership_id}"
        return self.role


def note(request: HttpRequest) -> None:
    """Leaves the member who asks for an answer that goes on in the request's WSGI environment."""
    if LINES not in request.headers.get("Accept", ""):
        return
    member: Any = request.membership  # type: ignore[attr-defined]
    user: Any = request.user
    request.META[WATCHER] = Watcher(
        workspace_id=member.workspace_id,
        membership_id=member.pk,
        role=member.role,
        language=get_language() or "",
        session_key=request.session.session_key or "",
        password=user.password,
        time_zone=member.workspace.time_zone,
        two_step_demanded=member.workspace.two_step_demanded,
    )


def still_there(watchers: Sequence[Watcher]) -> list[bool]:
    """Of each whether they may go on: signed in, and they and the workspace as they were."""
    with across_workspaces():
        rows = STILL_THERE.ask(
            workspaces=[one.workspace_id for one in watchers],
            members=[one.membership_id for one in watchers],
            sessions=[one.session_key for one in watchers],
            now=timezone.now(),
        )
    found = {row[:2]: row[2:] for row in rows}
    return [
        found.get((one.membership_id, one.session_key))
        == (one.role, one.password, one.time_zone, one.two_step_demanded)
        for one in watchers
    ]
