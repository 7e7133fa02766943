"""An erased person who is still on a list, and a member who took them off by hand."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from exports import erased_at_provider
from exports.models import ErasurePlace
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@require_POST
@requires("profile.erase")
def erased_by_hand(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    found = ErasurePlace.objects.select_related("erasure__workspace", "workspace")
    erased_at_provider.settle_by_hand(get_object_or_404(found, pk=pk), by=request.user)
    return redirect("segments:erasure_list", slug)
