"""What exports add to a segment's page: which of them send it, and a way into the others."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from exports.models import Destination, DestinationSegment
from segments.models import Segment


def exports_of(segment: Segment) -> tuple[str, dict[str, Any]]:
    return (
        "exports/_segment_panel.html",
        {
            "sending": list(_known(segment).filter(sends=True)),
            "has_others": others(segment).exists(),
        },
    )


def others(segment: Segment) -> QuerySet[Destination]:
    """The exports that don't send it."""
    return _known(segment).filter(sends=False)


def _known(segment: Segment) -> QuerySet[Destination]:
    links = DestinationSegment.objects.filter(segment=segment, destination=OuterRef("pk"))
    known = Destination.objects.select_related("connection").annotate(sends=Exists(links))
    return known.order_by("name")
