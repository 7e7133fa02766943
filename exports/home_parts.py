"""What exports add to a workspace's home."""

import json
from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kept_queries import KeptQuery
from connections.access import todays_budget
from exports import over_time, selectors
from exports.models import Batch, Run
from exports.progress import NEEDED as PROGRESS_OF
from exports.progress import progress_of
from workspaces import home
from workspaces.home import Card, Notice, Stat, Step
from workspaces.home_parts import schedule_of
from workspaces.permissions import may
from workspaces.written import number

RECENT = 5
HELD_UP_AFTER = timedelta(hours=1)
# Of all exports at once: how many, how many rest, the first, those whose last run failed, with it.
EXPORTS = """
SELECT count(*), count(*) FILTER (WHERE d.connection_id IS NULL), min(d.id), coalesce(
  jsonb_agg(jsonb_build_array(d.name, last.id) ORDER BY d.name)
    FILTER (WHERE last.state = 'failed'),
  '[]'
), EXISTS (
  SELECT FROM exports_run WHERE workspace_id = %(workspace)s AND NOT dry_run
    AND state IN ('succeeded', 'succeeded_with_rejections')
), EXISTS (
  SELECT FROM exports_erasureplace p
  JOIN segments_erasure e ON e.workspace_id = p.workspace_id AND e.id = p.erasure_id
  WHERE p.workspace_id = %(workspace)s AND p.done_at IS NULL AND e.asked_at < %(before)s
)
FROM exports_destination d
LEFT JOIN LATERAL (
  SELECT r.id, r.state FROM exports_run r
  WHERE r.workspace_id = d.workspace_id AND r.destination_id = d.id AND NOT r.dry_run
  ORDER BY r.created_at DESC LIMIT 1
) last ON true
WHERE d.workspace_id = %(workspace)s
"""


class _Exports(NamedTuple):
    """`failed` are names, each with the run that failed."""

    exports: int
    resting: int
    first: int | None
    failed: list[tuple[str, int]]
    has_run: bool
    is_erasure_held_up: bool


def configure(request: HttpRequest) -> Step:
    allowed = may(request.membership, "destination.create")  # type: ignore[attr-defined]
    return Step(
        label=_("Configure an export"),
        text=_("Say which segments go to which list, and with what data."),
        done=_exports(request).exports > 0,
        url=reverse("exports:destination_add", args=[_slug(request)]) if allowed else "",
        link=_("Add export"),
    )


def run(request: HttpRequest) -> Step:
    allowed = may(request.membership, "destination.create")  # type: ignore[attr-defined]
    known = _exports(request)
    return Step(
        label=_("Run it"),
        text=_("Watch every profile find its place, and see why the others were left out."),
        done=known.has_run,
        url=reverse("exports:destination_detail", args=[_slug(request), known.first])
        if known.first and allowed
        else "",
        link=_("Open the export"),
    )


def exports(request: HttpRequest) -> Stat:
    known = _exports(request)
    return Stat(
        label=_("Exports"),
        value=known.exports,
        icon="send",
        url=reverse("exports:destination_list", args=[_slug(request)]),
        note=ngettext("%(count)d rests", "%(count)d rest", known.resting) % {"count": known.resting}
        if known.resting
        else "",
    )


def recent_runs(request: HttpRequest) -> Card:
    """They follow what goes on: the page asks again as long as one is active."""
    runs = _recent_and_waiting(request)[0]
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
    return [
        Notice(
            text=_("The last run of “%(export)s” failed.") % {"export": name},
            url=reverse("exports:run_detail", args=[_slug(request), run]),
            link=_("See why"),
            tone="danger",
        )
        for name, run in _exports(request).failed
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
    runs = home.once(request, "runs", _newest_and_waiting)
    waiting = [run for run in reversed(runs) if run.state == Run.State.AWAITING_APPROVAL]
    return runs[:RECENT], waiting


@KeptQuery
def _newest_and_waiting() -> QuerySet[Run]:
    runs = Run.objects.select_related("destination")
    waiting = runs.filter(state=Run.State.AWAITING_APPROVAL)
    return runs.order_by("-created_at")[:RECENT].union(waiting).order_by("-created_at")


def erased_and_still_there(request: HttpRequest) -> list[Notice]:
    """For Administrators: an erasure that somebody may have to help along."""
    if not may(request.membership, "profile.erase"):  # type: ignore[attr-defined]
        return []
    if not _exports(request).is_erasure_held_up:
        return []
    return [
        Notice(
            text=_("Somebody who was erased here is still at Constant Contact."),
            url=reverse("segments:erasure_list", args=[_slug(request)]),
            link=_("See why"),
            tone="danger",
        )
    ]


def _exports(request: HttpRequest) -> _Exports:
    def ask() -> _Exports:
        with connection.cursor() as cursor:
            workspace_id = request.workspace.pk  # type: ignore[attr-defined]
            before = timezone.now() - HELD_UP_AFTER
            cursor.execute(EXPORTS, {"workspace": workspace_id, "before": before})
            exports, resting, first, failed, *rest = cursor.fetchone()
        return _Exports(exports, resting, first, json.loads(failed), *rest)

    return home.once(request, "exports", ask)


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
