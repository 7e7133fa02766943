"""What exports add to a segment's page: which of them send it, and a way into the others."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from exports.models import Destination, DestinationSegment
from segments.models import Segment


def exports_of(segment: Segment) -> tuple[str, dict[str, Any]]:
    return (
        "exports/_segment_panel.html",
        {
            "sending": list(_by_name().filter(_sends(segment))),
            "has_others": others(segment).exists(),
        },
    )


def others(segment: Segment) -> QuerySet[Destination]:
    """The exports that don't send it."""
    return _by_name().exclude(_sends(segment))


def _by_name() -> QuerySet[Destination]:
    return Destination.objects.select_related("connection").order_by("name")


def _sends(segment: Segment) -> Exists:
    links = DestinationSegment.objects.filter(segment=segment, destination=OuterRef("pk"))
    return Exists(links)
