"""The list of exports, one export's page, taking its connection away, removing it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from connections.access import todays_budget
from exports import contact_fields, destinations, matching, over_time, selectors, taken_off
from exports.account import account_of
from exports.engine import read_back
from exports.models import Destination, Run
from exports.views.objects import destination_of
from segments.selectors import attributes
from workspaces import keyset
from workspaces.columns import Columns
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.timing import workspace_refreshes_at

EXPORT_COLUMNS = {
    "connection": gettext_lazy("Connection used"),
    "run": gettext_lazy("Last run"),
    "schedule": gettext_lazy("Schedule"),
    "mode": gettext_lazy("People who leave"),
    "created": gettext_lazy("Created"),
    "updated": gettext_lazy("Last updated"),
    "permissions": gettext_lazy("Your permissions"),
}
USUAL_EXPORT_COLUMNS = ("connection", "run", "schedule", "updated", "permissions")
RUN_COLUMNS = {
    "state": gettext_lazy("State"),
    "by": gettext_lazy("Started by"),
    "added": gettext_lazy("Added"),
    "changed": gettext_lazy("Changed"),
    "sent": gettext_lazy("Sent"),
    "unchanged": gettext_lazy("Unchanged"),
    "left_out": gettext_lazy("Left out"),
    "rejected": gettext_lazy("Rejected"),
    "removed": gettext_lazy("Taken off"),
    "requests": gettext_lazy("Requests"),
    "took": gettext_lazy("Took"),
}
USUAL_RUN_COLUMNS = ("state", "by", "sent", "unchanged", "left_out", "rejected", "took")
# From here on a run asks before it starts.
LARGE = 50_000


@require_safe
@requires("destination.view")
def destination_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    page = selectors.destinations(request.GET)
    lines = selectors.lines(page.rows, member=request.membership, workspace=request.workspace)
    context = {
        "lines": lines,
        "any_active": any(line.last_run and line.last_run.is_active for line in lines),
        **keyset.context_of(page, request.GET),
        "search": request.GET.get("search", "").strip(),
        "columns": Columns(request.GET, EXPORT_COLUMNS, usual=USUAL_EXPORT_COLUMNS),
        "is_empty": not lines and not Destination.objects.exists(),
    }
    in_part = request.headers.get("HX-Target") == "exports"
    name = "exports/_list.html" if in_part else "exports/list.html"
    return render(request, name, context)


@require_safe
@requires("destination.view")
def destination_detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk)
    runs = selectors.runs_of(destination, request.GET)
    last_run = selectors.last_run.first(destination=destination.pk)
    refresh_at = workspace_refreshes_at(destination.workspace)
    segments = selectors.selected_segments(destination)
    volumes, durations = over_time.volumes_and_durations(destination)
    return render(
        request,
        "exports/detail.html",
        {
            "destination": destination,
            "segments": segments,
            "matches": _matches(destination),
            "runs": runs.rows,
            **keyset.context_of(runs, request.GET, part="runs"),
            "state": request.GET.get("state", ""),
            "states": Run.State.choices,
            "columns": Columns(request.GET, RUN_COLUMNS, usual=USUAL_RUN_COLUMNS),
            "last_run": last_run,
            "account": account_of(last_run) if last_run and last_run.planned_at else None,
            "next_run_at": selectors.next_run_at(destination, refresh_at),
            "refresh_at": refresh_at,
            "active_run": selectors.active_run.first(destination=destination.pk),
            "is_large": sum(segment.member_count for segment in segments) >= LARGE,
            "taken_off": taken_off.taken_off(destination).count(),
            "list_requests": read_back.EXPORT_REQUESTS,
            "budget": todays_budget(),
            "volumes": volumes,
            "durations": durations,
            "member_total": sum(segment.member_count for segment in segments),
        },
    )


def _matches(destination: Destination) -> list[dict[str, Any]]:
    known = {one.name: one for one in attributes()}
    return [
        {
            "label": contact_fields.label(name),
            "attribute": known.get(attribute),
            "name": attribute,
        }
        for name, attribute in matching.ordered(destination.matching)
    ]


@require_POST
def destination_detach(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk, "destination.detach")
    destinations.detach(destination, by=request.user)
    messages.success(
        request,
        _("The connection is detached. The export rests until it is given another connection."),
    )
    return redirect("exports:destination_detail", slug, pk)


@require_POST
def destination_remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk, "destination.remove")
    try:
        destinations.remove(destination, by=request.user)
    except destinations.DestinationProblem as problem:
        messages.error(request, str(problem))
        return redirect("exports:destination_detail", slug, pk)
    messages.success(
        request,
        _("The export “%(export)s” is removed. What it sent stays at Constant Contact.")
        % {"export": destination},
    )
    return redirect("exports:destination_list", slug)
