"""Who is in a segment: looked up while rules are edited, computed and kept at a refresh."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from segments.models import Attribute, Profile, Segment, SegmentRefresh
from segments.rule_sql import compile_rules
from segments.rule_tree import Group, RuleError, Vocabulary, read, segments_in
from workspaces import locks
from workspaces.models import Workspace

PREVIEW_MILLISECONDS = 15_000
SAMPLE = 10


class SegmentBusy(Exception):
    """The segment is being refreshed elsewhere."""


class TooSlow(Exception):
    """The rules take too long to look up while they are edited; a refresh still can."""


@dataclass(frozen=True)
class Look:
    """Who the rules find now: how many, of how many, and some of them."""

    count: int
    of: int
    sample: list[Profile]


MATCH = """
CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
SELECT p.id FROM segments_profile p WHERE p.workspace_id = %(workspace)s AND {condition}
"""

HAD_MEMBERS = """
SELECT EXISTS (SELECT 1 FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s)
"""

# Who is in no more leaves.
LEAVE = """
DELETE FROM segments_segmentmember m
WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s
    AND NOT EXISTS (SELECT 1 FROM matched WHERE matched.id = m.profile_id)
"""

# Who was not in yet joins.
JOIN = """
INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)
SELECT %(workspace)s, %(segment)s, matched.id FROM matched
WHERE NOT EXISTS (SELECT 1 FROM segments_segmentmember m
    WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s
        AND m.profile_id = matched.id)
"""

JOIN_ALL = """
INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)
SELECT %(workspace)s, %(segment)s, matched.id FROM matched ORDER BY matched.id
"""


def vocabulary() -> Vocabulary:
    """What the rules of the workspace in scope may speak of."""
    return Vocabulary(
        dict(Attribute.objects.values_list("name", "type")),
        frozenset(Segment.objects.values_list("pk", flat=True)),
    )


def look(workspace: Workspace, tree: Any) -> Look:
    """Who the rules find now. Raises `RuleError`, or `TooSlow`."""
    condition, parameters = _compiled(workspace, read(tree, vocabulary()), timezone.now())
    where = {**parameters, "workspace": workspace.pk, "size": SAMPLE}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PREVIEW_MILLISECONDS}")
            cursor.execute(
                "SELECT count(*) FROM segments_profile WHERE workspace_id = %s", [workspace.pk]
            )
            of = cursor.fetchone()[0]
            cursor.execute(
                "SELECT count(*) FROM segments_profile p"  # noqa: S608 - values are parameters
                f" WHERE p.workspace_id = %(workspace)s AND {condition}",
                where,
            )
            count = cursor.fetchone()[0]
            cursor.execute(
                "SELECT p.id FROM segments_profile p"  # noqa: S608 - values are parameters
                f" WHERE p.workspace_id = %(workspace)s AND {condition} LIMIT %(size)s",
                where,
            )
            ids = [row[0] for row in cursor.fetchall()]
    except DatabaseError as slow:
        raise TooSlow from slow
    return Look(count, of, list(Profile.objects.filter(pk__in=ids).order_by("key")))


def refresh_segment(segment: Segment, now: datetime | None = None) -> SegmentRefresh:
    """Computes and keeps the membership; a failure keeps the old one and is on record.

    Raises `SegmentBusy`.
    """
    with locks.held(locks.SEGMENT, segment.pk) as free:
        if not free:
            raise SegmentBusy
        segment.refresh_from_db()
        Segment.objects.filter(pk=segment.pk).update(
            refresh_state=Segment.RefreshState.RUNNING, refresh_requested_at=timezone.now()
        )
        started = time.monotonic()
        try:
            with transaction.atomic():
                return _compute(segment, now or timezone.now(), started)
        except RuleError as nonsense:
            reason = str(nonsense)
        except DatabaseError:
            reason = _("The database could not compute it. Try again; if it fails again, simplify.")
        return _fail(segment, reason, time.monotonic() - started)


def _compute(segment: Segment, now: datetime, started: float) -> SegmentRefresh:
    _refuse_failed_parts(segment)
    condition, parameters = _compiled(segment.workspace, read(segment.rules, vocabulary()), now)
    where = {**parameters, "workspace": segment.workspace_id, "segment": segment.pk}
    with connection.cursor() as cursor:
        cursor.execute(MATCH.format(condition=condition), where)
        cursor.execute(HAD_MEMBERS, where)
        left = 0
        if cursor.fetchone()[0]:
            cursor.execute("ANALYZE matched")
            cursor.execute(LEAVE, where)
            left = cursor.rowcount
            cursor.execute(JOIN, where)
        else:
            cursor.execute(JOIN_ALL, where)
        joined = cursor.rowcount
        cursor.execute("SELECT count(*) FROM matched")
        count = cursor.fetchone()[0]
        cursor.execute("DROP TABLE matched")
    Segment.objects.filter(pk=segment.pk).update(
        member_count=count,
        refresh_state=Segment.RefreshState.SUCCEEDED,
        refresh_reason="",
        refreshed_at=timezone.now(),
    )
    return SegmentRefresh.objects.create(
        workspace_id=segment.workspace_id,
        segment=segment,
        count=count,
        joined=joined,
        left=left,
        seconds=time.monotonic() - started,
    )


def _refuse_failed_parts(segment: Segment) -> None:
    """Members of a segment that failed to refresh may be out of date: nothing is built on them."""
    failed = Segment.objects.filter(
        pk__in=segments_in(segment.rules), refresh_state=Segment.RefreshState.FAILED
    ).first()
    if failed is not None:
        raise RuleError(
            (),
            _("It depends on the segment “%(name)s”, whose refresh failed. Mend that one first.")
            % {"name": failed.name},
        )


def _fail(segment: Segment, reason: str, seconds: float) -> SegmentRefresh:
    Segment.objects.filter(pk=segment.pk).update(
        refresh_state=Segment.RefreshState.FAILED, refresh_reason=reason
    )
    return SegmentRefresh.objects.create(
        workspace_id=segment.workspace_id,
        segment=segment,
        count=segment.member_count,
        succeeded=False,
        reason=reason,
        seconds=seconds,
    )


def _compiled(workspace: Workspace, tree: Group, now: datetime) -> tuple[str, dict[str, Any]]:
    return compile_rules(tree, workspace_id=workspace.pk, now=now, time_zone=workspace.tzinfo)
