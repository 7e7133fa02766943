"""What every page knows: the workspace, the member's role, the member's other workspaces."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from workspaces import selectors


def workspace(request: HttpRequest) -> dict[str, Any]:
    return {
        "workspace": getattr(request, "workspace", None),
        "membership": getattr(request, "membership", None),
        "my_workspaces": SimpleLazyObject(lambda: selectors.workspaces_of(request.user)),
    }
