"""The refresh schedule, refreshing now, and the last refreshes."""

from itertools import islice
from typing import Any

from django.contrib import messages
from django.db.models import Count, F
from django.db.models.expressions import Combinable
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from workspaces import keyset, scheduling, services
from workspaces.columns import Columns
from workspaces.filters import by_choices
from workspaces.forms import ScheduleForm
from workspaces.live import streams
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Refresh, RefreshStep, Schedule
from workspaces.permissions import may, require, requires
from workspaces.refresh_progress import progress_of

SHOWN = 20
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "started": (F("created_at"),),
    "state": (F("state"), F("created_at")),
    "took": (keyset.TOOK,),
}
COLUMNS = {
    "state": gettext_lazy("State"),
    "by": gettext_lazy("Started by"),
    "steps": gettext_lazy("Steps"),
    "took": gettext_lazy("Took"),
}


@requires("schedule.view")
def schedule(request: WorkspaceRequest, slug: str) -> HttpResponse:
    current = services.schedule_of(request.workspace)
    may_change = may(request.membership, "schedule.change")
    if request.method == "POST":
        require(request.membership, "schedule.change")
    form = ScheduleForm(
        request.POST or None,
        initial={
            "enabled": current.enabled,
            "days": current.days,
            "times": current.times,
            "every_hours": current.every_hours,
            "time_zone": current.time_zone,
        },
    )
    if form.is_valid():
        saved = services.save_schedule(request.workspace, **form.cleaned_data, by=request.user)
        messages.success(
            request,
            _("The schedule is saved and on.")
            if saved.enabled
            else _("The schedule is saved and off."),
        )
        return redirect("workspaces:schedule", slug)
    context = {
        "form": form,
        "schedule": current,
        "upcoming": upcoming(current),
        "may_change": may_change,
        **_refreshes(request.GET),
    }
    return render(request, "workspaces/schedule.html", context)


@require_POST
@requires("refresh.start")
def refresh_now(request: WorkspaceRequest, slug: str) -> HttpResponse:
    try:
        refresh = services.start_refresh(
            request.workspace, trigger=Refresh.Trigger.MEMBER, by=request.user
        )
    except services.RefreshActive as refusal:
        messages.warning(request, str(refusal))
        return redirect("workspaces:schedule", slug)
    messages.success(request, _("The refresh has started."))
    return redirect("workspaces:refresh_detail", slug, refresh.pk)


@requires("schedule.view")
def refresh_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The table of refreshes alone, for a page that watches one run."""
    response = render(request, "workspaces/_refreshes.html", _refreshes(request.GET))
    response[streams.FOR_EVERY_ROLE] = "yes"
    return response


def upcoming(current: Schedule) -> list[Any]:
    """The next three due moments, in the schedule's own time zone; none while it is off."""
    if not current.enabled:
        return []
    moments = scheduling.occurrences(
        current.days, current.due_times, current.time_zone, timezone.now()
    )
    return list(islice(moments, 3))


def _refreshes(asked: QueryDict) -> dict[str, Any]:
    """The page of refreshes that a URL asks for, by `state` and `trigger`, too."""
    every = Refresh.objects.select_related("started_by")
    found, filters = by_choices(every, asked, "state", "trigger")
    page = keyset.page_of(found, ORDERS, keyset.newest_first(asked, "started"), size=SHOWN)
    steps = RefreshStep.objects.filter(refresh_id__in=[refresh.pk for refresh in page.rows])
    counted = {
        refresh_id: (count, ended)
        for refresh_id, count, ended in steps.order_by()
        .values("refresh_id")
        .annotate(count=Count("id"), ended=Count("finished_at"))
        .values_list("refresh_id", "count", "ended")
    }
    active = next((refresh for refresh in page.rows if refresh.is_active), None)
    return {
        "refreshes": [(refresh, *counted.get(refresh.pk, (0, 0))) for refresh in page.rows],
        "active": active,
        "progress": progress_of(active) if active else None,
        **filters,
        "columns": Columns(asked, COLUMNS),
        **keyset.context_of(page, asked, part="refreshes"),
    }
