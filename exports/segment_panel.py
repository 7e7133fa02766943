"""What exports add to a segment's page: which of them send it, and a way into the others."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from config.kept_queries import KeptQuery
from exports.models import Destination, DestinationSegment
from segments.models import Segment


def exports_of(segment: Segment) -> tuple[str, dict[str, Any]]:
    return (
        "exports/_segment_panel.html",
        {
            "sending": _sending(segment=segment.pk),
            "has_others": bool(_any_other(segment=segment.pk)),
        },
    )


def others(segment: Segment) -> QuerySet[Destination]:
    """The exports that don't send it."""
    return _by_name().exclude(_sends(segment.pk))


@KeptQuery
def _sending(segment: Any) -> QuerySet[Destination]:
    return _by_name().filter(_sends(segment))


@KeptQuery
def _any_other(segment: Any) -> QuerySet[Destination, int]:
    return Destination.objects.exclude(_sends(segment)).values_list("pk", flat=True)[:1]


def _by_name() -> QuerySet[Destination]:
    return Destination.objects.select_related("connection").order_by("name")


def _sends(segment: Any) -> Exists:
    links = DestinationSegment.objects.filter(segment=segment, destination=OuterRef("pk"))
    return Exists(links)
