"""The export and the run that a URL names, within the workspace; any other is a 404."""

from django.shortcuts import get_object_or_404

from exports.models import Destination, Run
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import require


def destination_of(
    request: WorkspaceRequest, pk: int, action: str = "destination.view"
) -> Destination:
    """Raises Http404, or PermissionDenied when the member may not do the action."""
    destination = get_object_or_404(
        Destination.objects.select_related("workspace", "connection", "created_by", "updated_by"),
        pk=pk,
    )
    require(request.membership, action, destination)
    return destination


def run_of(request: WorkspaceRequest, pk: int, action: str = "run.view") -> Run:
    run = get_object_or_404(
        Run.objects.select_related(
            "workspace", "destination__connection", "started_by", "cancelled_by"
        ),
        pk=pk,
    )
    require(request.membership, action, run)
    return run
