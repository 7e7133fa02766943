"""What exports add to a segment's page: which of them send it, and a way into the others."""

from typing import Any

from django.db.models import Exists, OuterRef

from exports.models import Destination, DestinationSegment
from segments.models import Segment


def exports_of(segment: Segment) -> tuple[str, dict[str, Any]]:
    links = DestinationSegment.objects.filter(segment=segment, destination=OuterRef("pk"))
    known = Destination.objects.select_related("connection").annotate(sends=Exists(links))
    destinations = list(known.order_by("name"))
    return (
        "exports/_segment_panel.html",
        {
            "sending": [one for one in destinations if one.sends],
            "others": [one for one in destinations if not one.sends],
        },
    )
