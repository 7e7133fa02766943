"""What every page knows: the workspace, the member's role, the member's other workspaces."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from workspaces import selectors
from workspaces.models import Membership, Workspace


def workspace(request: HttpRequest) -> dict[str, Any]:
    return {
        "workspace": getattr(request, "workspace", None),
        "membership": getattr(request, "membership", None),
        "my_workspaces": SimpleLazyObject(lambda: _workspaces(request)),
    }


def _workspaces(request: HttpRequest) -> list[Workspace]:
    known: list[Membership] | None = getattr(request, "memberships", None)
    if known is None:
        return selectors.workspaces_of(request.user)
    return [membership.workspace for membership in known]
