"""Who joined a segment and who left it, between any two of its refreshes."""

from collections.abc import Iterator

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.text import slugify

from config.kept_queries import one_or_404
from segments import history
from segments.models import Profile, Segment, SegmentRefresh
from segments.selectors import shown_profiles
from workspaces import audit, keyset
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

PAGE = 50
JOINED, LEFT = "joined", "left"


@requires("segment.view")
def changes(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    refreshes = history.comparable(segment)
    context = {"segment": segment, "refreshes": refreshes}
    if len(refreshes) > 1:
        since, until = _asked(request, refreshes)
        ids = {one: history.changed_profiles(since, until, one == JOINED) for one in (JOINED, LEFT)}
        counts = {one: found.count() for one, found in ids.items()}
        asked = request.GET.get("way")
        way = asked if asked in counts else LEFT if counts[LEFT] > counts[JOINED] == 0 else JOINED
        profiles = Profile.objects.filter(pk__in=ids[way])
        page = keyset.page_of(profiles, {"key": ()}, request.GET, size=PAGE, key="key")
        context |= {
            "since": since,
            "until": until,
            "way": way,
            "joined": counts[JOINED],
            "left": counts[LEFT],
            "gone": counts[way] - profiles.count(),
            **keyset.context_of(page, request.GET),
            **shown_profiles(page.rows),
        }
    return render(request, "segments/segments/changes.html", context)


def _asked(
    request: WorkspaceRequest, refreshes: list[SegmentRefresh]
) -> tuple[SegmentRefresh, SegmentRefresh]:
    """The two refreshes asked for, the earlier first; without any, the last two."""
    since, until = (request.GET.get(name, "") for name in ("since", "until"))
    return history.between(refreshes, _id(since), _id(until))


def _id(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


@requires("segment.download")
def changes_csv(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponseBase:
    segment = one_or_404(Segment, "workspace", pk=pk)
    refreshes = history.comparable(segment)
    between = _asked(request, refreshes) if refreshes else None
    audit.record(
        segment.workspace, "segment.changes_downloaded", actor=request.user, target=segment
    )
    return _csv(history.changes_csv(segment, between), segment, "changes")


@requires("segment.view")
def history_csv(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponseBase:
    segment = one_or_404(Segment, "workspace", pk=pk)
    return _csv(history.csv_of(segment), segment, "history")


def _csv(lines: Iterator[str], segment: Segment, what: str) -> HttpResponseBase:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"{slugify(segment.name) or 'segment'}-{what}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
