"""What a segment's page does with exports."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from exports import destinations, segment_panel
from exports.models import Destination
from exports.preview import inactive_warnings
from exports.views.objects import destination_of
from segments.models import Segment
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@require_safe
@requires("destination.create")
def other_exports(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The exports that a segment can be put into."""
    segment = _segment(request.GET.get("segment", ""))
    context = {"segment": segment, "others": segment_panel.others(segment)}
    return render(request, "exports/_other_exports.html", context)


@require_POST
def add_segment(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Puts the segment posted into the export, and goes back to the segment."""
    destination, segment = _asked(request, pk)
    try:
        destinations.add_segment(destination, segment, by=request.user)
    except destinations.DestinationProblem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(
            request,
            _("“%(export)s” sends this segment too, from its next run on.")
            % {"export": destination},
        )
        for warning in inactive_warnings([segment]):
            messages.warning(request, warning)
    return redirect("segments:segment_detail", slug, segment.pk)


@require_POST
def take_out_segment(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Takes the segment posted out of the export, and goes back to the segment."""
    destination, segment = _asked(request, pk)
    try:
        destinations.take_out_segment(destination, segment, by=request.user)
    except destinations.DestinationProblem as problem:
        messages.error(request, str(problem))
    else:
        said = _("“%(export)s” does not send this segment any more, from its next run on.")
        if destination.mode == Destination.Mode.MIRROR:
            said = _(
                "“%(export)s” does not send this segment any more: its next run takes those off"
                " the list who are in none of its other segments."
            )
        messages.success(request, said % {"export": destination})
    return redirect("segments:segment_detail", slug, segment.pk)


def _asked(request: WorkspaceRequest, pk: int) -> tuple[Destination, Segment]:
    destination = destination_of(request, pk, "destination.change")
    return destination, _segment(request.POST.get("segment", ""))


def _segment(asked: str) -> Segment:
    is_id = asked.isdecimal() and len(asked) < 19
    return get_object_or_404(Segment, pk=int(asked) if is_id else 0)
