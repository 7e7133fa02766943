"""Who is in a segment: computed by a refresh, and kept."""

import time
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from segments import membership_sql as sql
from segments import notices
from segments.failures import Failure
from segments.models import Attribute, Segment, SegmentRefresh
from segments.rule_sql import compile_rules
from segments.rule_tree import RuleError, Vocabulary, read, segments_in
from workspaces import locks
from workspaces.models import Workspace
from workspaces.planner import expect_rows

LONGEST_MINUTES = 30
# Who joined and left is kept for so many refreshes of a segment, and for so many people in all.
MOST_REFRESHES = 90
MOST_CHANGES = 2_000_000


class SegmentBusy(Exception):
    """The segment is being refreshed elsewhere."""


class SegmentRests(Exception):
    """The segment is a draft, or inactive: it is not refreshed."""


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def vocabulary() -> Vocabulary:
    """What the rules of the workspace in scope may speak of."""
    return Vocabulary(
        dict(Attribute.objects.values_list("name", "type")),
        frozenset(Segment.objects.exclude(state=Segment.State.DRAFT).values_list("pk", flat=True)),
    )


def condition_of(workspace: Workspace, tree: Any, now: datetime) -> tuple[str, dict[str, Any]]:
    """The condition on `segments_profile p` and its parameters, the workspace's among them.

    Raises `RuleError`.
    """
    condition, parameters = compile_rules(
        read(tree, vocabulary()),
        workspace_id=workspace.pk,
        now=now,
        time_zone=workspace.tzinfo,
    )
    return condition, {**parameters, "workspace": workspace.pk}


def refresh_segment(segment: Segment, now: datetime | None = None) -> SegmentRefresh:
    """Computes and keeps the membership; a failure keeps the old one and is on record.

    `now` is the moment that relative dates start from. Raises `SegmentBusy`, `SegmentRests`, and
    `Segment.DoesNotExist` when the segment was deleted meanwhile.
    """
    with locks.held(locks.SEGMENT, segment.pk) as free:
        if not free:
            raise SegmentBusy
        segment.refresh_from_db()
        if not segment.is_active:
            give_up_waiting(segment)
            raise SegmentRests
        Segment.objects.filter(pk=segment.pk).update(
            refresh_state=Segment.RefreshState.RUNNING, refresh_requested_at=timezone.now()
        )
        started = time.monotonic()
        try:
            with transaction.atomic():
                return _compute(segment, now or timezone.now(), started)
        except _Failed as failed:
            failure = failed.failure
        except DatabaseError:
            failure = Failure.DATABASE
        return fail(segment, failure, time.monotonic() - started)


def give_up_waiting(segment: Segment) -> None:
    """A refresh asked for and not begun is forgotten."""
    before = Segment.RefreshState.SUCCEEDED if segment.refreshed_at else Segment.RefreshState.NEVER
    waiting = [Segment.RefreshState.QUEUED, Segment.RefreshState.RUNNING]
    Segment.objects.filter(pk=segment.pk, refresh_state__in=waiting).update(refresh_state=before)


def fail(segment: Segment, failure: Failure, seconds: float = 0) -> SegmentRefresh:
    """Puts on record that a refresh failed, and why; the members stay who they were."""
    with transaction.atomic():
        Segment.objects.filter(pk=segment.pk).update(
            refresh_state=_unless_asked_again(Segment.RefreshState.FAILED), refresh_reason=failure
        )
        refresh = SegmentRefresh.objects.create(
            workspace_id=segment.workspace_id,
            segment=segment,
            count=segment.member_count,
            succeeded=False,
            reason=failure,
            seconds=seconds,
        )
        notices.segment_refreshed(segment, refresh)
    return refresh


def _compute(segment: Segment, now: datetime, started: float) -> SegmentRefresh:
    parts = Segment.objects.filter(pk__in=segments_in(segment.rules))
    if parts.filter(refresh_state=Segment.RefreshState.FAILED).exists():
        # Its members may be out of date: nothing is built on them.
        raise _Failed(Failure.PART)
    if parts.filter(refreshed_at=None).exclude(state=Segment.State.ACTIVE).exists():
        # It has no members, which does not mean that nobody is in it.
        raise _Failed(Failure.RESTING_PART)
    try:
        condition, parameters = condition_of(segment.workspace, segment.rules, now)
    except RuleError as nonsense:
        raise _Failed(Failure.RULES) from nonsense
    refresh = SegmentRefresh.objects.create(
        workspace_id=segment.workspace_id, segment=segment, keeps_changes=True
    )
    _keep(segment, refresh, condition, parameters)
    is_there = Segment.objects.filter(pk=segment.pk).update(
        member_count=refresh.count,
        refresh_state=_unless_asked_again(Segment.RefreshState.SUCCEEDED),
        refresh_reason="",
        refreshed_at=timezone.now(),
    )
    if not is_there:
        raise Segment.DoesNotExist
    refresh.seconds = time.monotonic() - started
    refresh.save()
    notices.segment_refreshed(segment, refresh)
    _forget_old_changes(segment)
    return refresh


def _keep(
    segment: Segment, refresh: SegmentRefresh, condition: str, parameters: dict[str, Any]
) -> None:
    """Makes the kept members those of the condition, and counts."""
    parameters = {**parameters, "segment": segment.pk, "refresh": refresh.pk}
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST_MINUTES}min'; SET LOCAL jit = off")
        cursor.execute(sql.MATCH.format(condition=condition), parameters)
        refresh.count = cursor.rowcount
        expect_rows(cursor, max(refresh.count, segment.member_count))
        cursor.execute(sql.HAS_MEMBERS, parameters)
        if cursor.fetchone()[0] or segment.refreshed_at:
            cursor.execute("ANALYZE matched")
            cursor.execute(sql.LEAVE, parameters)
            refresh.left = cursor.rowcount
            cursor.execute(sql.JOIN, parameters)
        else:
            cursor.execute(sql.JOIN_ALL, parameters)
            refresh.keeps_changes = False
        refresh.joined = cursor.rowcount
        cursor.execute("DROP TABLE matched")


def _forget_old_changes(segment: Segment) -> None:
    where = {"workspace": segment.workspace_id, "segment": segment.pk}
    with connection.cursor() as cursor:
        cursor.execute(sql.TOO_OLD, {**where, "refreshes": MOST_REFRESHES, "changes": MOST_CHANGES})
        old = [pk for (pk,) in cursor.fetchall()]
        if old:
            cursor.execute(sql.FORGET_CHANGES, {**where, "old": old})
            SegmentRefresh.objects.filter(pk__in=old).update(keeps_changes=False)


def _unless_asked_again(state: str) -> Case:
    """The state; but who asked for another refresh while this one ran still waits for theirs."""
    queued = Segment.RefreshState.QUEUED
    return Case(When(refresh_state=queued, then=F("refresh_state")), default=Value(state))
