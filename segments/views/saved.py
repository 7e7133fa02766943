"""What follows when a person has saved a segment."""

from django.contrib import messages
from django.utils.translation import gettext as _

from segments.models import Segment
from segments.segment_services import request_refresh
from workspaces.middleware import WorkspaceRequest


def follow_up(request: WorkspaceRequest, saved: Segment) -> None:
    """Refreshes it if it is active, and says what becomes of it."""
    if saved.is_active:
        request_refresh(saved)
        said = _("The segment “%(name)s” is saved and being refreshed.")
    elif saved.is_draft:
        said = _("The draft “%(name)s” is saved. Activate it when its rules are ready.")
    else:
        said = _("The segment “%(name)s” is saved. It is refreshed once it is active again.")
    messages.success(request, said % {"name": saved.name})
