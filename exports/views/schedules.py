"""When exports run: one export's schedule, or those of several."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from exports import destinations, schedule_forms, several
from exports.models import Destination
from exports.views.objects import destination_of
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import may, requires
from workspaces.timing import Timing, workspace_refreshes_at
from workspaces.timing_forms import TimingForm, initial_of


@require_http_methods(["GET", "HEAD", "POST"])
def destination_schedule(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk, "destination.schedule")
    current = Timing.of(destination)
    if request.method == "POST":
        form = TimingForm(request.POST)
        if form.is_valid():
            destinations.reschedule(
                destination,
                by=request.user,
                timing=form.timing(current),
            )
            messages.success(request, _("The schedule is saved."))
            return redirect("exports:destination_detail", slug, pk)
    else:
        form = TimingForm(initial=initial_of(destination))
    context = {
        "form": form,
        "destination": destination,
        "refresh_at": workspace_refreshes_at(destination.workspace),
        "upcoming": current.upcoming() if destination.connection_id else [],
    }
    return render(request, "exports/schedule.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("destination.create")
def schedule_several(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The exports are named by `selected`, in the address and then in the form."""
    keys = [
        int(pk)
        for pk in (request.POST if request.method == "POST" else request.GET).getlist("selected")
        if pk.isdecimal()
    ]
    found = list(
        Destination.objects.filter(pk__in=keys).select_related("connection").order_by("name")
    )
    member = request.membership
    chosen = [one for one in found if may(member, "destination.schedule", one)]
    if not chosen:
        messages.error(request, _("Select the exports to schedule, then try again."))
        return redirect("exports:destination_list", slug)
    form = schedule_forms.SeveralForm(
        request.POST if request.method == "POST" else None,
        initial=initial_of(chosen[0]) | {"schedule": Destination.Schedule.REFRESH},
    )
    if request.method == "POST" and form.is_valid():
        several.reschedule(chosen, form, by=request.user)
        messages.success(
            request,
            ngettext(
                "The schedule of %(count)d export is saved.",
                "The schedules of %(count)d exports are saved.",
                len(chosen),
            )
            % {"count": len(chosen)},
        )
        return redirect("exports:destination_list", slug)
    context = {
        "form": form,
        "chosen": chosen,
        "left_out": [one for one in found if one not in chosen],
        "refresh_at": workspace_refreshes_at(request.workspace),
    }
    return render(
        request, "exports/schedule_several.html", context, status=422 if form.errors else 200
    )
