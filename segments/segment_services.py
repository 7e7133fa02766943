"""What can be done with segments. Saving one refreshes it."""

from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from segments import dependents
from segments.membership import SegmentBusy, refresh_segment, vocabulary
from segments.models import Segment, SegmentMember, SegmentRefresh
from segments.rule_tree import RuleError, read, segments_in
from workspaces import audit
from workspaces.models import Refresh, User, Workspace
from workspaces.refreshes import StageFailed


class Refused(Exception):
    """Why it can't be done, and what to do; the message is for people."""


def create_segment(
    workspace: Workspace, name: str, rules: Any, *, by: User | None = None, description: str = ""
) -> Segment:
    """Raises `RuleError`, or `Refused` for a name that is taken."""
    read(rules, vocabulary())
    segment = Segment(
        workspace=workspace, name=name, rules=rules, description=description, created_by=by
    )
    _save(segment, "segment.created", by)
    return segment


def change_segment(
    segment: Segment, *, name: str, rules: Any, description: str, by: User | None
) -> None:
    """Raises as `create_segment` does; a rule that leads back to this segment is a circle."""
    read(rules, vocabulary())
    _refuse_circle(segment, rules)
    segment.name, segment.rules, segment.description = name, rules, description
    _save(segment, "segment.changed", by)


def _save(segment: Segment, action: str, by: User | None) -> None:
    try:
        with transaction.atomic():
            segment.save()
            audit.record(segment.workspace, action, actor=by, target=segment, rules=segment.rules)
    except IntegrityError as conflict:
        raise Refused(
            _("Another segment is named “%(name)s”. Choose a different name.")
            % {"name": segment.name}
        ) from conflict


def request_refresh(segment: Segment) -> None:
    """Hands the refresh to a worker."""
    from segments.tasks import refresh_segment_task

    Segment.objects.filter(pk=segment.pk).update(
        refresh_state=Segment.RefreshState.QUEUED, refresh_requested_at=timezone.now()
    )
    transaction.on_commit(lambda: refresh_segment_task.delay(segment.workspace_id, segment.pk))


def duplicate_segment(segment: Segment, by: User | None) -> Segment:
    names = set(Segment.objects.values_list("name", flat=True))
    name = base = _("Copy of %(name)s") % {"name": segment.name[:80]}
    number = 2
    while name in names:
        name, number = f"{base} ({number})", number + 1
    return create_segment(
        segment.workspace, name, segment.rules, by=by, description=segment.description
    )


def delete_segment(segment: Segment, by: User | None) -> None:
    """Raises `Refused` while something uses it, naming what."""
    used_by = dependents.of(segment)
    if used_by:
        raise Refused(
            _("The segment is used by %(names)s. Take it out there first.")
            % {"names": ", ".join(label for label, _url in used_by)}
        )
    with transaction.atomic():
        audit.record(segment.workspace, "segment.deleted", actor=by, target=segment)
        SegmentMember.objects.filter(
            workspace_id=segment.workspace_id, segment_id=segment.pk
        ).delete()
        SegmentRefresh.objects.filter(segment=segment).delete()
        segment.delete()


def refresh_all(refresh: Refresh) -> dict[str, object]:
    """The refresh's stage: every segment, those it depends on first."""
    segments = {segment.pk: segment for segment in Segment.objects.all()}
    graph = {
        pk: {other for other in segments_in(segment.rules) if other in segments}
        for pk, segment in segments.items()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        names = ", ".join(segments[pk].name for pk in circle.args[1])
        raise StageFailed(
            _("These segments lead in a circle: %(names)s.") % {"names": names}
        ) from circle
    failed = 0
    now = timezone.now()
    for pk in order:
        try:
            failed += not refresh_segment(segments[pk], now).succeeded
        except SegmentBusy:
            continue
    return {"segments": len(order), "failed": failed}


def _refuse_circle(segment: Segment, rules: Any) -> None:
    trees = dict(Segment.objects.values_list("pk", "rules")) | {segment.pk: rules}
    open_, seen = list(segments_in(rules)), set()
    while open_:
        pk = open_.pop()
        if pk == segment.pk:
            raise RuleError(
                (), _("This segment would depend on itself. Take that segment out of its rules.")
            )
        if pk not in seen:
            seen.add(pk)
            open_ += segments_in(trees.get(pk))
