"""Refreshes of several segments, in the order in which they depend on each other."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from django.utils import timezone
from django.utils.translation import gettext as _

from segments.failures import Failure
from segments.membership import SegmentBusy, fail, refresh_segment
from segments.models import Segment, SegmentRefresh
from segments.rule_tree import segments_in
from workspaces.models import Refresh
from workspaces.refreshes import StageFailed

PATIENCE_SECONDS = 30 * 60
AGAIN_SECONDS = 0.5

Graph = Mapping[int, set[int]]


def refresh_all(refresh: Refresh) -> dict[str, object]:
    """The refresh's stage: every segment of the workspace. Raises `StageFailed`."""
    segments = _segments()
    order, circles = in_order(_graph(segments))
    now = timezone.now()
    failed = len(circles)
    for pk in circles:
        fail(segments[pk], Failure.CIRCLE)
    for pk in order:
        done = _refresh_when_free(segments[pk], now)
        failed += done is not None and not done.succeeded
    return {"segments": len(segments), "failed": failed}


def refresh_with_dependents(segment: Segment) -> SegmentRefresh | None:
    """The segment; before it those it depends on that were never refreshed; after it those that
    depend on it. Returns its own refresh, or None for a segment in a circle.

    Raises `SegmentBusy`, and `Segment.DoesNotExist` when it was deleted meanwhile.
    """
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
    return {segment.pk: segment for segment in Segment.objects.select_related("workspace")}


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
    """Waits for a refresh that goes on elsewhere, then does its own; None if it was deleted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return refresh_segment(segment, now)
        except Segment.DoesNotExist:
            return None
        except SegmentBusy:
            if time.monotonic() > deadline:
                raise StageFailed(
                    _("The segment “%(name)s” has been refreshing elsewhere for too long.")
                    % {"name": segment.name}
                ) from None
            time.sleep(AGAIN_SECONDS)
