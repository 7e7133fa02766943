"""What sources and segments add to a workspace's home."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from segments import population
from segments.models import Import
from segments.progress import progress_of
from workspaces import home
from workspaces.home import Card, Stat, Step
from workspaces.permissions import may

SHOWN_IMPORTS = 5
JUST_NOW = timedelta(minutes=10)
# What home wants to know of all this, at once: a row for each import to show, or one without.
FACTS = """
SELECT recent.*, facts.* FROM (
  SELECT
    (SELECT count(*) FROM segments_segment WHERE workspace_id = %(workspace)s) AS segments,
    EXISTS (
      SELECT FROM segments_segment WHERE workspace_id = %(workspace)s AND state <> 'draft'
    ) AS has_segments,
    (SELECT max(id) FROM segments_segment WHERE workspace_id = %(workspace)s) AS last_segment,
    (
      SELECT max(id) FROM segments_upload WHERE workspace_id = %(workspace)s
        AND state <> 'ready' AND (state <> 'receiving' OR fingerprint <> '')
    ) AS last_upload,
    (
      SELECT max(id) FROM segments_import
      WHERE workspace_id = %(workspace)s AND state = 'draft'
    ) AS last_draft
) facts
LEFT JOIN LATERAL (
  SELECT i.*, s.name AS source_name, EXISTS (
    SELECT FROM segments_sqlquery q
    WHERE q.workspace_id = i.workspace_id AND q.source_id = i.source_id
  ) AS is_query
  FROM segments_import i
  JOIN segments_source s ON s.workspace_id = i.workspace_id AND s.id = i.source_id
  WHERE i.workspace_id = %(workspace)s
    AND (i.state IN ('queued', 'running') OR i.finished_at > %(since)s)
  ORDER BY i.created_at DESC LIMIT %(most)s
) recent ON true
"""


def import_customers(request: HttpRequest) -> Step:
    allowed = may(request.membership, "source.change")  # type: ignore[attr-defined]
    done = _profiles(request) > 0
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
    facts = _facts(request)
    if facts.last_upload is not None:
        return reverse("segments:upload", args=[_slug(request), facts.last_upload])
    if facts.last_draft is not None:
        return reverse("segments:import_columns", args=[_slug(request), facts.last_draft])
    return ""


def make_a_segment(request: HttpRequest) -> Step:
    allowed = may(request.membership, "segment.change")  # type: ignore[attr-defined]
    facts = _facts(request)
    url, link = reverse("segments:segment_start", args=[_slug(request)]), _("Add segment")
    if not facts.has_segments and facts.last_segment is not None:
        url = reverse("segments:segment_detail", args=[_slug(request), facts.last_segment])
        link = _("Go on")
    return Step(
        label=_("Make a segment"),
        text=_("Choose who by rules; the count shows as you go."),
        done=facts.has_segments,
        url=url if allowed else "",
        link=link,
    )


def recent_imports(request: HttpRequest) -> Card:
    """Those that go on, and those that have just ended: nothing is gone as soon as it is done."""
    rows = [
        (load, progress_of(load, is_query=load.is_query) if load.state in Import.ACTIVE else None)
        for load in _asked(request)
        if load.pk is not None
    ]
    active = any(progress for _load, progress in rows)
    return Card("segments/_home_imports.html", {"rows": rows, "active": active})


def _facts(request: HttpRequest) -> Any:
    return _asked(request)[0]


def _asked(request: HttpRequest) -> list[Any]:
    """The imports to show, each with the facts; without any, one that is none and has them."""
    workspace_id = request.workspace.pk  # type: ignore[attr-defined]
    since = timezone.now() - JUST_NOW
    values = {"workspace": workspace_id, "since": since, "most": SHOWN_IMPORTS}
    found = Import.objects.raw(FACTS, values)
    return home.once(request, "segments and imports", lambda: list(found))


def _profiles(request: HttpRequest) -> int:
    workspace_id = request.workspace.pk  # type: ignore[attr-defined]
    return home.once(request, "profiles", lambda: population.size(workspace_id))


def profiles(request: HttpRequest) -> Stat:
    return Stat(
        label=_("Profiles"),
        value=_profiles(request),
        icon="users",
        url=reverse("segments:profile_list", args=[_slug(request)]),
    )


def segments(request: HttpRequest) -> Stat:
    return Stat(
        label=_("Segments"),
        value=_facts(request).segments,
        icon="chart-pie",
        url=reverse("segments:segment_list", args=[_slug(request)]),
    )


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
