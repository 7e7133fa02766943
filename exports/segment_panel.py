"""What exports add to a segment's page: which of them send it, and a way into the others."""

from typing import Any

from exports.models import Destination, DestinationSegment
from segments.models import Segment


def exports_of(segment: Segment) -> tuple[str, dict[str, Any]]:
    known = Destination.objects.select_related("connection").order_by("name")
    links = DestinationSegment.objects.filter(segment=segment).values_list("destination_id")
    sending = {pk for (pk,) in links}
    destinations = list(known)
    return (
        "exports/_segment_panel.html",
        {
            "sending": [one for one in destinations if one.pk in sending],
            "others": [one for one in destinations if one.pk not in sending],
        },
    )
