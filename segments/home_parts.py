"""What sources and segments add to a workspace's home."""

from datetime import timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from segments import population
from segments.models import Import, Profile, Segment, SqlQuery
from segments.progress import progress_of
from segments.uploads import open_uploads
from workspaces import home
from workspaces.home import Card, Stat, Step
from workspaces.permissions import may

SHOWN_IMPORTS = 5
JUST_NOW = timedelta(minutes=10)
SEGMENTS_AND_IMPORTS = """
SELECT (SELECT count(*) FROM segments_segment WHERE workspace_id = %(workspace)s), EXISTS (
  SELECT FROM segments_import WHERE workspace_id = %(workspace)s
    AND (state IN ('queued', 'running') OR finished_at > %(since)s)
)
"""


def import_customers(request: HttpRequest) -> Step:
    allowed = may(request.membership, "source.change")  # type: ignore[attr-defined]
    done = Profile.objects.exists()
    url, link = reverse("segments:source_add", args=[_slug(request)]), _("Add source")
    begun = None if done else _begun_import(request)
    if begun:
        url, link = begun, _("Go on")
    return Step(
        label=_("Import your customers"),
        text=_("A file with a row for each, as your shop or CRM exports it, or a database."),
        done=done,
        url=url if allowed else "",
        link=link,
    )


def _begun_import(request: HttpRequest) -> str:
    """Where an import that was begun goes on, if there is one."""
    upload = open_uploads().first()
    if upload is not None:
        return reverse("segments:upload", args=[_slug(request), upload.pk])
    draft = Import.objects.filter(state=Import.State.DRAFT).order_by("-pk").first()
    return reverse("segments:import_columns", args=[_slug(request), draft.pk]) if draft else ""


def make_a_segment(request: HttpRequest) -> Step:
    allowed = may(request.membership, "segment.change")  # type: ignore[attr-defined]
    done = Segment.objects.exclude(state=Segment.State.DRAFT).exists()
    url, link = reverse("segments:segment_start", args=[_slug(request)]), _("Add segment")
    draft = None if done else Segment.objects.order_by("-pk").first()
    if draft is not None:
        url, link = reverse("segments:segment_detail", args=[_slug(request), draft.pk]), _("Go on")
    return Step(
        label=_("Make a segment"),
        text=_("Choose who by rules; the count shows as you go."),
        done=done,
        url=url if allowed else "",
        link=link,
    )


def recent_imports(request: HttpRequest) -> Card | None:
    """Those that go on, and those that have just ended: nothing is gone as soon as it is done."""
    if not _segments_and_whether_imports(request)[1]:
        return None
    recent = Q(finished_at__gt=timezone.now() - JUST_NOW)
    shown = Import.objects.filter(Q(state__in=Import.ACTIVE) | recent).select_related("source")
    query = SqlQuery.objects.filter(source=OuterRef("source"))
    newest = shown.annotate(is_query=Exists(query)).order_by("-created_at")
    rows = [
        (load, progress_of(load, is_query=load.is_query) if load.state in Import.ACTIVE else None)
        for load in newest[:SHOWN_IMPORTS]
    ]
    if not rows:
        return None
    active = any(progress for _load, progress in rows)
    return Card("segments/_home_imports.html", {"rows": rows, "active": active})


def _segments_and_whether_imports(request: HttpRequest) -> tuple[int, bool]:
    """How many segments there are, and whether an import goes on or has just ended: at once."""

    def ask() -> tuple[int, bool]:
        with connection.cursor() as cursor:
            workspace_id = request.workspace.pk  # type: ignore[attr-defined]
            since = timezone.now() - JUST_NOW
            cursor.execute(SEGMENTS_AND_IMPORTS, {"workspace": workspace_id, "since": since})
            segments, has_imports = cursor.fetchone()
        return segments, has_imports

    return home.once(request, "segments and imports", ask)


def profiles(request: HttpRequest) -> Stat:
    return Stat(
        label=_("Profiles"),
        value=population.size(request.workspace.pk),  # type: ignore[attr-defined]
        icon="users",
        url=reverse("segments:profile_list", args=[_slug(request)]),
    )


def segments(request: HttpRequest) -> Stat:
    return Stat(
        label=_("Segments"),
        value=_segments_and_whether_imports(request)[0],
        icon="chart-pie",
        url=reverse("segments:segment_list", args=[_slug(request)]),
    )


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
