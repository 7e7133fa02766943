"""Tells programs of imports that have ended and of segments that were refreshed."""

from django.urls import reverse_lazy

from segments.models import Import, Segment, SegmentRefresh
from workspaces.notices import telling
from workspaces.sentences import gettext as _
from workspaces.sentences import ngettext

IMPORT_FINISHED = "import.finished"
SEGMENT_REFRESHED = "segment.refreshed"

_COUNTS = ("read", "added", "changed", "unchanged", "superseded", "refused", "removed")


def import_finished(load: Import) -> None:
    source = load.source
    ended = (
        _("The import into “%(source)s” succeeded.")
        if load.state == Import.State.SUCCEEDED
        else _("The import into “%(source)s” failed.")
    )
    telling.happened(
        source.workspace,
        IMPORT_FINISHED,
        {
            "import": load.pk,
            "source": source.pk,
            "name": source.name,
            "state": str(load.state),
            **{name: getattr(load, name) for name in _COUNTS},
        },
        text=ended % {"source": source.name},
        path=reverse_lazy("segments:source_detail", args=[source.workspace.slug, source.pk]),
    )


def segment_refreshed(segment: Segment, refresh: SegmentRefresh) -> None:
    if refresh.succeeded:
        text = ngettext(
            "The segment “%(segment)s” was refreshed: it has %(count)s member.",
            "The segment “%(segment)s” was refreshed: it has %(count)s members.",
            refresh.count,
        ) % {"segment": segment.name, "count": refresh.count}
    else:
        text = _("The refresh of the segment “%(segment)s” failed.") % {"segment": segment.name}
    telling.happened(
        segment.workspace,
        SEGMENT_REFRESHED,
        {
            "segment": segment.pk,
            "name": segment.name,
            "succeeded": refresh.succeeded,
            "reason": str(refresh.reason),
            "members": refresh.count,
            "joined": refresh.joined,
            "left": refresh.left,
        },
        text=text,
        path=reverse_lazy("segments:segment_detail", args=[segment.workspace.slug, segment.pk]),
    )
