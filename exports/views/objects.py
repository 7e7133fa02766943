"""The export and the run that a URL names, within the workspace; any other is a 404."""

from config.kept_queries import one_or_404
from exports.models import Destination, Run
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import require


def destination_of(
    request: WorkspaceRequest, pk: int, action: str = "destination.view"
) -> Destination:
    """Raises Http404, or PermissionDenied when the member may not do the action."""
    destination = one_or_404(
        Destination, "workspace", "connection", "created_by", "updated_by", pk=pk
    )
    require(request.membership, action, destination)
    return destination


def run_of(request: WorkspaceRequest, pk: int, action: str = "run.view") -> Run:
    run = one_or_404(
        Run, "workspace", "destination__connection", "started_by", "cancelled_by", pk=pk
    )
    require(request.membership, action, run)
    return run
