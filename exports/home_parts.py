"""What exports add to a workspace's home."""

from collections import defaultdict
from datetime import timedelta

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.access import todays_budget
from exports import over_time, selectors
from exports.models import Batch, Destination, Run
from exports.progress import NEEDED as PROGRESS_OF
from exports.progress import progress_of
from workspaces import home
from workspaces.home import Card, Notice, Stat, Step
from workspaces.home_parts import schedule_of
from workspaces.permissions import may
from workspaces.templatetags.segue import number

RECENT = 5
HELD_UP_AFTER = timedelta(hours=1)
EXPORTS_AND_ERASURES = """
SELECT count(*), count(*) FILTER (WHERE connection_id IS NULL), EXISTS (
  SELECT FROM exports_erasureplace p
  JOIN segments_erasure e ON e.workspace_id = p.workspace_id AND e.id = p.erasure_id
  WHERE p.workspace_id = %(workspace)s AND p.done_at IS NULL AND e.asked_at < %(before)s
)
FROM exports_destination WHERE workspace_id = %(workspace)s
"""


def configure(request: HttpRequest) -> Step:
    allowed = may(request.membership, "destination.create")  # type: ignore[attr-defined]
    return Step(
        label=_("Configure an export"),
        text=_("Say which segments go to which list, and with what data."),
        done=Destination.objects.exists(),
        url=reverse("exports:destination_add", args=[_slug(request)]) if allowed else "",
        link=_("Add export"),
    )


def run(request: HttpRequest) -> Step:
    allowed = may(request.membership, "destination.create")  # type: ignore[attr-defined]
    first = Destination.objects.order_by("pk").first()
    return Step(
        label=_("Run it"),
        text=_("Watch every profile find its place, and see why the others were left out."),
        done=Run.objects.filter(
            state__in=[Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS], dry_run=False
        ).exists(),
        url=reverse("exports:destination_detail", args=[_slug(request), first.pk])
        if first and allowed
        else "",
        link=_("Open the export"),
    )


def exports(request: HttpRequest) -> Stat:
    count, resting, _held_up = _exports_and_erasures(request)
    return Stat(
        label=_("Exports"),
        value=count,
        icon="send",
        url=reverse("exports:destination_list", args=[_slug(request)]),
        note=ngettext("%(count)d rests", "%(count)d rest", resting) % {"count": resting}
        if resting
        else "",
    )


def recent_runs(request: HttpRequest) -> Card | None:
    """They follow what goes on: the page asks again as long as one is active."""
    runs = _recent_and_waiting(request)[0]
    if not runs:
        return None
    batches = defaultdict(list)
    active = [run for run in runs if run.is_active]
    if active:
        for batch in Batch.objects.filter(run__in=active).only("run_id", *PROGRESS_OF):
            batches[batch.run_id].append(batch)
    rows = [(run, progress_of(run, batches[run.pk]) if run.is_active else None) for run in runs]
    return Card("exports/_home_runs.html", {"rows": rows, "active": bool(active)})


def coming_runs(request: HttpRequest) -> Card | None:
    schedule = schedule_of(request)
    refresh_at = schedule.next_run_at if schedule.enabled else None
    coming = selectors.coming_runs(refresh_at, RECENT)
    return Card("exports/_home_next.html", {"coming": coming}) if coming else None


def requests(request: HttpRequest) -> Card | None:
    """The day's requests, and those of the days before; nothing where none was made."""
    chart = over_time.requests_by_day()
    if chart is None:
        return None
    return Card("exports/_home_requests.html", {"budget": todays_budget(), "chart": chart})


def failed_exports(request: HttpRequest) -> list[Notice]:
    """The exports whose last run failed: a later one that went well takes the notice away."""
    last = Run.objects.filter(destination=OuterRef("pk"), dry_run=False).order_by("-created_at")
    failed = (
        Destination.objects.annotate(last_run=Subquery(last.values("pk")[:1]))
        .annotate(last_state=Subquery(last.values("state")[:1]))
        .filter(last_state=Run.State.FAILED)
        .order_by("name")
    )
    return [
        Notice(
            text=_("The last run of “%(export)s” failed.") % {"export": destination},
            url=reverse("exports:run_detail", args=[_slug(request), destination.last_run]),
            link=_("See why"),
            tone="danger",
        )
        for destination in failed
    ]


def runs_that_want_approval(request: HttpRequest) -> list[Notice]:
    return [
        Notice(
            text=ngettext(
                "“%(export)s” wants to take %(count)s person off its list, and waits for approval.",
                "“%(export)s” wants to take %(count)s people off its list, and waits for approval.",
                run.to_remove,
            )
            % {"export": run.destination, "count": number(run.to_remove)},
            url=reverse("exports:run_detail", args=[_slug(request), run.pk]),
            link=_("Decide"),
            tone="warning",
        )
        for run in _recent_and_waiting(request)[1]
    ]


def _recent_and_waiting(request: HttpRequest) -> tuple[list[Run], list[Run]]:
    """The last runs, newest first, and those that wait for approval, oldest first."""

    def ask() -> list[Run]:
        runs = Run.objects.select_related("destination")
        newest = runs.order_by("-created_at")[:RECENT]
        waiting = runs.filter(state=Run.State.AWAITING_APPROVAL)
        return list(newest.union(waiting).order_by("-created_at"))

    runs = home.once(request, "runs", ask)
    waiting = [run for run in reversed(runs) if run.state == Run.State.AWAITING_APPROVAL]
    return runs[:RECENT], waiting


def erased_and_still_there(request: HttpRequest) -> list[Notice]:
    """For Administrators: an erasure that somebody may have to help along."""
    if not may(request.membership, "profile.erase"):  # type: ignore[attr-defined]
        return []
    if not _exports_and_erasures(request)[2]:
        return []
    return [
        Notice(
            text=_("Somebody who was erased here is still at Constant Contact."),
            url=reverse("segments:erasure_list", args=[_slug(request)]),
            link=_("See why"),
            tone="danger",
        )
    ]


def _exports_and_erasures(request: HttpRequest) -> tuple[int, int, bool]:
    """How many exports there are, how many of them rest, and whether an erasure is held up."""

    def ask() -> tuple[int, int, bool]:
        with connection.cursor() as cursor:
            workspace_id = request.workspace.pk  # type: ignore[attr-defined]
            before = timezone.now() - HELD_UP_AFTER
            cursor.execute(EXPORTS_AND_ERASURES, {"workspace": workspace_id, "before": before})
            exports, resting, is_held_up = cursor.fetchone()
        return exports, resting, is_held_up

    return home.once(request, "exports and erasures", ask)


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
