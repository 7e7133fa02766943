"""What every page knows: the workspace, the member's role, the member's other workspaces."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from workspaces import selectors
from workspaces.models import Workspace

# Whoever has more workspaces finds the others on a page of their own.
MOST_SHOWN = 12


def workspace(request: HttpRequest) -> dict[str, Any]:
    return {
        "workspace": getattr(request, "workspace", None),
        "membership": getattr(request, "membership", None),
        "my_workspaces": SimpleLazyObject(lambda: _workspaces(request)[:MOST_SHOWN]),
        "has_more_workspaces": SimpleLazyObject(lambda: len(_workspaces(request)) > MOST_SHOWN),
    }


def _workspaces(request: HttpRequest) -> list[Workspace]:
    """The one that the page is of and others, by name; one more than is shown tells of more."""
    if not hasattr(request, "my_workspaces"):
        found = selectors.workspaces_of(request.user, most=MOST_SHOWN + 1)
        request.my_workspaces = found  # type: ignore[attr-defined]
    shown: list[Workspace] = request.my_workspaces  # type: ignore[attr-defined]
    here = getattr(request, "workspace", None)
    return sorted(shown, key=lambda one: (one != here, one.name))
