"""A segment's size over time, and who joined and left it between two refreshes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Case, QuerySet, Sum, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kept_queries import KeptQuery
from segments import membership_sql as sql
from segments.member_files import KEY, cell, headings
from segments.models import Attribute, Profile, Segment, SegmentChange, SegmentRefresh
from workspaces.spreadsheet import csv_lines

REFRESHES = "refreshes"
MOST_REFRESHES = 30
# Days to look back, and how many of them make one point of the chart.
SPANS = {"30": (30, 1), "90": (90, 1), "365": (365, 7)}
ROWS_AT_ONCE = 2_000
RECENT = 16


@dataclass(frozen=True)
class Point:
    """Some days, or one refresh: how many were in at its end (None: not known yet), and what
    changed. Everybody's joining at the first refresh of all is no change.
    """

    at: datetime | date
    count: int | None
    joined: int
    left: int


@dataclass(frozen=True)
class Belonging:
    """A segment that a profile is in, since when (None: nobody wrote it down).

    Where it is not `is_exact`, the profile was in at that moment already: what came before is not
    kept.
    """

    segment: Segment
    since: datetime | None
    is_exact: bool


def belongings_of(profile: Profile) -> list[Belonging]:
    """The segments of a profile, by name."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SINCE, {"workspace": profile.workspace_id, "profile": profile.pk})
        found = {pk: known for pk, *known in cursor.fetchall()}
    return [
        Belonging(segment, joined or before, bool(joined or is_first))
        for segment in Segment.objects.filter(pk__in=found).order_by("name")
        for joined, before, is_first in [found[segment.pk]]
    ]


def points(segment: Segment, over: str = REFRESHES) -> list[Point]:
    """The last refreshes that succeeded, or a key of SPANS: days, as the workspace's clock goes."""
    if over not in SPANS:
        last = _succeeded(segment=segment.pk)
        older = last[MOST_REFRESHES:]
        shown = last[:MOST_REFRESHES][::-1]
        return [
            Point(one.at, one.count, *_change(not older and place == 0, one.joined, one.left))
            for place, one in enumerate(shown)
        ]
    done = segment.refreshes.filter(succeeded=True)
    first = done.order_by("pk").values_list("pk", flat=True).first()
    days, step = SPANS[over]
    zone = segment.workspace.tzinfo
    today = timezone.now().astimezone(zone).date()
    begins = [today - timedelta(days=back) for back in range(days - 1, -1, -step)]
    start = datetime.combine(begins[0], datetime.min.time(), zone)
    rows = done.filter(at__gte=start).order_by("pk")
    parts: list[list[tuple[int, int, int]]] = [[] for _begin in begins]
    for pk, at, count, joined, left in rows.values_list("pk", "at", "count", "joined", "left"):
        place = (at.astimezone(zone).date() - begins[0]).days // step
        parts[min(place, len(parts) - 1)].append((count, *_change(pk == first, joined, left)))
    before = done.filter(at__lt=start).order_by("-pk").values_list("count", flat=True).first()
    return list(_carried(begins, parts, before))


@KeptQuery
def _succeeded(segment: Any) -> QuerySet[SegmentRefresh]:
    done = SegmentRefresh.objects.filter(segment=segment, succeeded=True)
    return done.order_by("-pk")[: MOST_REFRESHES + 1]


def _change(is_first: bool, joined: int, left: int) -> tuple[int, int]:
    return (0, 0) if is_first else (joined, left)


def _carried(
    begins: Sequence[date], parts: Sequence[Sequence[tuple[int, int, int]]], count: int | None
) -> Iterator[Point]:
    """Until the next refresh a segment is as large as it was."""
    for begin, part in zip(begins, parts, strict=True):
        count = part[-1][0] if part else count
        yield Point(begin, count, sum(one[1] for one in part), sum(one[2] for one in part))


def recent_counts(segments: Sequence[Segment]) -> dict[int, list[tuple[int, int, int]]]:
    """By segment: count, joined and left of its last refreshes, the newest last."""
    found: dict[int, list[tuple[int, int, int]]] = {segment.pk: [] for segment in segments}
    if segments:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.RECENT_COUNTS,
                {
                    "workspace": segments[0].workspace_id,
                    "segments": list(found),
                    "most": RECENT,
                },
            )
            for pk, count, joined, left in cursor.fetchall():
                found[pk].append((count, joined, left))
    return found


def csv_of(segment: Segment) -> Iterator[str]:
    """Every refresh there was, the newest first."""
    header = [_("Refreshed"), _("Members"), _("Joined"), _("Left"), _("Succeeded")]
    rows = (
        [one.at.astimezone(segment.workspace.tzinfo).isoformat(timespec="seconds")]
        + ([one.count, one.joined, one.left, "true"] if one.succeeded else ["", "", "", "false"])
        for one in segment.refreshes.order_by("-pk").iterator(chunk_size=ROWS_AT_ONCE)
    )
    return csv_lines(segment.workspace, header, rows)


def comparable(segment: Segment) -> list[SegmentRefresh]:
    """The refreshes between which it is known who joined and left, the newest first."""
    done = segment.refreshes.filter(succeeded=True).order_by("-pk")
    kept = list(done.filter(keeps_changes=True))
    if not kept:
        return []
    before = done.filter(pk__lt=kept[-1].pk).first()
    return [*kept, before] if before else kept


def between(
    refreshes: Sequence[SegmentRefresh], since: int | None, until: int | None
) -> tuple[SegmentRefresh, SegmentRefresh]:
    """The two of the ids among `refreshes`, which are the newest first; the earlier one first.

    Without one, or where it is not among them, the last two.
    """
    known = {one.pk: place for place, one in enumerate(refreshes)}
    last = known.get(until or 0, 0)
    first = known.get(since or 0, min(last + 1, len(refreshes) - 1))
    return refreshes[max(first, last)], refreshes[min(first, last)]


def changed_profiles(since: SegmentRefresh, until: SegmentRefresh, joined: bool) -> QuerySet:
    """The ids of who is in at `until` and was not at `since`, or the other way round.

    Who joined and left in between is neither.
    """
    changes = SegmentChange.objects.filter(
        segment_id=until.segment_id, refresh_id__gt=since.pk, refresh_id__lte=until.pk
    )
    way = Sum(Case(When(joined=True, then=Value(1)), default=Value(-1)))
    counted = changes.values("profile_id").annotate(way=way)
    return counted.filter(way=1 if joined else -1).values("profile_id")


def changes_csv(
    segment: Segment, between: tuple[SegmentRefresh, SegmentRefresh] | None
) -> Iterator[str]:
    """Who joined and who left, with their attributes; those whose profile is there."""
    attributes = list(Attribute.objects.all())
    names = [attribute.name for attribute in attributes]
    rows = (
        [way, profile.key, *(cell(profile.attributes.get(name)) for name in names)]
        for way, joined in (("joined", True), ("left", False))
        if between
        for profile in Profile.objects.filter(pk__in=changed_profiles(*between, joined))
        .order_by("key")
        .iterator(chunk_size=ROWS_AT_ONCE)
    )
    return csv_lines(segment.workspace, ["change", KEY, *headings(attributes)], rows)
