"""Who watches a part of a page, and whether they still may."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django_scopes import scope

from workspaces.models import Membership, Role

LINES = "application/x-ndjson"
WATCHER = "segue.watcher"


@dataclass(frozen=True)
class Watcher:
    """A member in one of their sessions, as they were when they asked."""

    workspace_id: int
    membership_id: int
    role: str
    language: str
    session_key: str
    password: str

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
    )


def still_there(workspace_id: int, watchers: Iterable[Watcher]) -> set[Watcher]:
    """Those of them who are members in the same role, signed in, with the same password."""
    asked = set(watchers)
    with scope(workspace=workspace_id):
        members = {
            pk: (role, password)
            for pk, role, password in Membership.objects.filter(
                pk__in={one.membership_id for one in asked}, user__is_active=True
            ).values_list("pk", "role", "user__password")
        }
    signed_in = set(
        Session.objects.filter(
            session_key__in={one.session_key for one in asked}, expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    return {
        one
        for one in asked
        if members.get(one.membership_id) == (one.role, one.password)
        and one.session_key in signed_in
    }
