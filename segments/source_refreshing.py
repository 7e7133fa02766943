"""The SQL sources' part in a refresh, and their own schedules."""

import logging
import time
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from config.quick_urls import address
from segments import imports, sources, sql_loads, sql_sources
from segments.models import Import, Source, SqlQuery
from segments.progress import progress_of
from workspaces import sentences, timing
from workspaces.models import Refresh, RefreshStep
from workspaces.refreshes import Planned, StepFailed, Told

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
ENDED = (Import.State.SUCCEEDED, Import.State.FAILED)


def plan(refresh: Refresh) -> Iterator[Planned]:
    """A refresh's steps for the sources that are loaded with it."""
    queries = SqlQuery.objects.filter(schedule=SqlQuery.Schedule.REFRESH)
    for query in queries.select_related("source").order_by("source__name"):
        if query.is_ready:
            yield Planned(query.source_id, query.source.name)


def carry_out(step: RefreshStep) -> dict[str, object]:
    """Loads a step's source here. Raises `StepFailed`."""
    source = Source.objects.filter(pk=step.object_id).first()
    query = sql_loads.query_of(source) if source else None
    if query is None:
        return {}
    load = _load_of(step)
    if load is None:
        try:
            load = sql_sources.begin_load(
                query,
                trigger=Import.Trigger.REFRESH,
                by=step.refresh.started_by,
                in_worker=False,
            )
        except sql_sources.LoadActive as other:
            load = other.load
        except sources.Refused as refusal:
            raise StepFailed(refusal.sentence) from refusal
    try:
        _see_through(load)
    except Import.DoesNotExist:
        # Its source was removed meanwhile.
        return {}
    if load.state != Import.State.SUCCEEDED:
        raise StepFailed(load.reason)
    return {
        "load": load.pk,
        "rows": load.read,
        "added": load.added,
        "changed": load.changed,
        "removed": load.removed,
        "refused": load.refused,
    }


def _load_of(step: RefreshStep) -> Import | None:
    """The load that a worker who died had begun for this step."""
    loads = Import.objects.filter(source_id=step.object_id, trigger=Import.Trigger.REFRESH)
    return loads.filter(created_at__gte=step.started_at).order_by("-created_at").first()


def _see_through(load: Import) -> None:
    """Carries the load out, or waits for whoever does."""
    deadline = time.monotonic() + 2 * settings.SQL_SOURCES_SECONDS
    while True:
        try:
            imports.run_import(load)
        except imports.SourceBusy:
            time.sleep(AGAIN_SECONDS)
        load.refresh_from_db()
        if load.state in ENDED:
            return
        if time.monotonic() > deadline:
            too_long = sentences.gettext("The source has been loading elsewhere for too long.")
            raise StepFailed(too_long)


def tell(steps: list[RefreshStep]) -> dict[int, Told]:
    """Where the steps' sources are; of those that are being loaded, how far."""
    slug = steps[0].refresh.workspace.slug
    found = Source.objects.filter(pk__in=[step.object_id for step in steps])
    there = set(found.values_list("pk", flat=True))
    going_on = {
        load.source_id: load
        for load in Import.objects.filter(source__in=there, state=Import.State.RUNNING)
    }
    told = {}
    for step in steps:
        load = going_on.get(step.object_id)
        pk = load.pk if load else step.counts.get("load")
        if pk is not None:
            url = address("segments:import_detail", slug, pk)
        else:
            url = address("segments:source_detail", slug, step.object_id)
        if step.object_id in there:
            text = progress_of(load, is_query=True).line if load else ""
            told[step.object_id] = Told(url, text=text)
    return told


def start_due(now: datetime) -> None:
    """Loads every source whose own time has come."""
    timing.start_due(SqlQuery, now, SqlQuery.next_own_time, _start)


def _start(query: SqlQuery) -> None:
    try:
        sql_sources.begin_load(query, trigger=Import.Trigger.SCHEDULE)
    except sources.Refused as refusal:
        logger.info("scheduled load of source %s refused: %s", query.source_id, refusal)
