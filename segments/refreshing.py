"""Refreshes of several segments, in the order in which they depend on each other."""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from django.utils import timezone

from config.quick_urls import address
from segments.failures import Failure, cause
from segments.membership import (
    SegmentBusy,
    SegmentRests,
    fail,
    give_up_waiting,
    refresh_segment,
    vocabulary,
)
from segments.models import Attribute, Segment, SegmentRefresh
from segments.rule_tree import attributes_in, segments_in
from workspaces.models import Refresh, RefreshStep
from workspaces.refreshes import Planned, StepFailed, Thing, Told
from workspaces.sentences import gettext as _

PATIENCE_SECONDS = 30 * 60
AGAIN_SECONDS = 0.5

Graph = Mapping[int, set[int]]


def plan(refresh: Refresh) -> Iterator[Planned]:
    """A refresh's steps for every active segment of the workspace, what needs nothing first."""
    segments = _segments()
    graph = _graph(segments)
    order, circles = in_order(graph)
    sources = dict(Attribute.objects.exclude(source=None).values_list("name", "source_id"))
    for pk in [*order, *sorted(circles)]:
        if not segments[pk].is_active:
            continue
        rules = segments[pk].rules
        parts = graph[pk] - circles if pk in circles else graph[pk]
        needs: set[Thing] = {("segment", part) for part in parts}
        needs |= {("source", sources[name]) for name in attributes_in(rules) if name in sources}
        yield Planned(pk, segments[pk].name, frozenset(needs))


def carry_out(step: RefreshStep) -> dict[str, object]:
    """Refreshes a step's segment. Raises `StepFailed`."""
    segment = _segment_of(step)
    if segment is None:
        return {}
    if segments_in(segment.rules) and segment.pk in in_order(_graph(_segments()))[1]:
        done: SegmentRefresh | None = fail(segment, Failure.CIRCLE)
    else:
        done = _refresh_when_free(segment, step.refresh.started_at or timezone.now())
    if done is None:
        return {}
    if not done.succeeded:
        segment.refresh_from_db()
        raise StepFailed(cause(segment, vocabulary()))
    return {"members": done.count, "joined": done.joined, "left": done.left}


def skip(step: RefreshStep) -> None:
    """Nothing is built on the members of a segment whose part failed."""
    segment = _segment_of(step)
    failed = Segment.RefreshState.FAILED
    if segment is not None and (
        Segment.objects.filter(pk__in=segments_in(segment.rules), refresh_state=failed).exists()
    ):
        fail(segment, Failure.PART)


def tell(steps: list[RefreshStep]) -> dict[int, Told]:
    """Where the steps' segments are."""
    slug = steps[0].refresh.workspace.slug
    there = Segment.objects.filter(pk__in=[step.object_id for step in steps])
    return {
        pk: Told(address("segments:segment_detail", slug, pk))
        for pk in there.values_list("pk", flat=True)
    }


def _segment_of(step: RefreshStep) -> Segment | None:
    """None when it was deleted meanwhile."""
    return Segment.objects.select_related("workspace").filter(pk=step.object_id).first()


def refresh_with_dependents(segment: Segment) -> SegmentRefresh | None:
    """The segment; before it those it depends on that were never refreshed; after it those that
    depend on it. Returns its own refresh, or None for a segment in a circle.

    Raises `SegmentBusy`, `SegmentRests`, and `Segment.DoesNotExist` when it was deleted meanwhile.
    """
    if not segment.is_active:
        give_up_waiting(segment)
        raise SegmentRests
    segments = _segments()
    graph = _graph(segments)
    order, circles = in_order(graph)
    if segment.pk in circles:
        fail(segment, Failure.CIRCLE)
        return None
    before = {pk for pk in _reach([segment.pk], graph) if segments[pk].refreshed_at is None}
    after = _reach([segment.pk], _reversed(graph))
    now = timezone.now()
    own = None
    for pk in order:
        if pk == segment.pk:
            own = refresh_segment(segment, now)
        elif pk in before or pk in after:
            _refresh_when_free(segments[pk], now)
    return own


def in_order(graph: Graph) -> tuple[list[int], set[int]]:
    """What depends on nothing first; those in circles apart."""
    rest, circles = dict(graph), set[int]()
    while True:
        try:
            return list(TopologicalSorter(rest).static_order()), circles
        except CycleError as circle:
            circles |= set(circle.args[1])
            rest = {pk: others - circles for pk, others in graph.items() if pk not in circles}


def _segments() -> dict[int, Segment]:
    """All but drafts, which nothing depends on."""
    found = Segment.objects.exclude(state=Segment.State.DRAFT).select_related("workspace")
    return {segment.pk: segment for segment in found}


def _graph(segments: Mapping[int, Segment]) -> Graph:
    """Which segments each one depends on."""
    return {pk: segments_in(one.rules) & segments.keys() for pk, one in segments.items()}


def _reversed(graph: Graph) -> Graph:
    turned: dict[int, set[int]] = {pk: set() for pk in graph}
    for pk, others in graph.items():
        for other in others:
            turned[other].add(pk)
    return turned


def _reach(start: Iterable[int], graph: Graph) -> set[int]:
    """Whatever the graph leads to from the start, without the start itself."""
    begun = list(start)
    found, open_ = set[int](), list(begun)
    while open_:
        new = graph[open_.pop()] - found
        found |= new
        open_ += new
    return found - set(begun)


def _refresh_when_free(segment: Segment, now: datetime) -> SegmentRefresh | None:
    """Waits for a refresh that goes on elsewhere, then does its own.

    None if the segment was deleted or rests.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return refresh_segment(segment, now)
        except (Segment.DoesNotExist, SegmentRests):
            return None
        except SegmentBusy:
            if time.monotonic() > deadline:
                raise StepFailed(
                    _("The segment “%(name)s” has been refreshing elsewhere for too long.")
                    % {"name": segment.name}
                ) from None
            time.sleep(AGAIN_SECONDS)
